import HTTPTypes
import Hummingbird
import PosternCore

extension FieldReader {
    /// The body of a request that may come without one: then there are no members. Throws like `body(of:fields:)`.
    static func optionalBody(of request: Request, fields: [String]) async throws -> FieldReader {
        let headers = request.headers
        let length = headers[.contentLength]
        let isAbsent = length == nil && headers[.transferEncoding] == nil && headers[.contentType] == nil
        if isAbsent || length == "0" { return FieldReader(.object([]), fields: fields) }
        return try await Self.body(of: request, fields: fields)
    }
}
