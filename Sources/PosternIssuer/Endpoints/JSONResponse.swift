import HTTPTypes
import Hummingbird
import PosternCore

extension Response {
    /// A JSON document that is text already.
    static func json(
        _ text: String, status: HTTPResponse.Status = .ok, contentType: String = "application/json",
        headers: HTTPFields = [:]
    ) -> Response {
        self.json(ByteBuffer(string: text), status, contentType, headers)
    }

    /// A JSON document that is bytes already.
    static func json(_ bytes: [UInt8], headers: HTTPFields) -> Response {
        self.json(ByteBuffer(bytes: bytes), .ok, "application/json", headers)
    }

    /// A JSON document.
    static func json(
        _ value: JSONValue, status: HTTPResponse.Status = .ok, contentType: String = "application/json",
        headers: HTTPFields = [:]
    ) -> Response {
        self.json(ByteBuffer(bytes: value.serializedBytes()), status, contentType, headers)
    }

    private static func json(
        _ body: ByteBuffer, _ status: HTTPResponse.Status, _ contentType: String, _ headers: HTTPFields
    ) -> Response {
        var headers = headers
        headers[.contentType] = contentType
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// A JSON object for whoever asked alone.
    static func record(_ members: [(String, JSONValue)]) -> Response {
        .json(.record(members), headers: .notStored)
    }
}

extension HTTPFields {
    /// For answers with credentials in them, and for errors (RFC 6749 section 5.1).
    static let notStored: HTTPFields = {
        var fields: HTTPFields = [.cacheControl: "no-store"]
        if let pragma = HTTPField.Name("Pragma") { fields[pragma] = "no-cache" }
        return fields
    }()
}
