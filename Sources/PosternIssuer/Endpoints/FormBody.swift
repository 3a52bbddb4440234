import HTTPTypes
import Hummingbird
import NIOCore
import PosternCore

/// The parameters of a request body. A parameter without a value counts as not there, one that is given twice is an
/// error (RFC 6749 section 3.2), an unknown one is ignored.
struct FormBody: Equatable {
    /// Bytes of a body.
    static let limit = 16 * 1024

    private var values: [String: String] = [:]

    subscript(name: String) -> String? {
        self.values[name]
    }

    /// The value of a parameter that must be there.
    func require(_ name: String) throws(OAuthError) -> String {
        guard let value = self.values[name] else { throw .invalidRequest("the parameter \(name) is missing") }
        return value
    }

    /// Reads a body of one of the types: `application/x-www-form-urlencoded`, or JSON where `allowsJSON` says so.
    static func read(_ request: Request, allowsJSON: Bool) async throws -> FormBody {
        let type = MediaType(of: request.headers)
        guard type == .form || (allowsJSON && type == .json) else {
            throw OAuthError.invalidRequest(
                allowsJSON
                    ? "the body is application/x-www-form-urlencoded or application/json"
                    : "the body is application/x-www-form-urlencoded")
        }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: Self.limit)
        } catch is NIOTooManyBytesError {
            throw OAuthError.invalidRequest(
                "the body is longer than \(Self.limit) bytes", status: .contentTooLarge)
        }
        let bytes = [UInt8](buffer: buffer)
        return type == .json ? try Self(json: bytes) : try Self(form: bytes)
    }

    /// Parses a body in the format of HTML forms.
    init(form bytes: [UInt8]) throws(OAuthError) {
        var start = 0
        while start < bytes.count {
            // A loop of its own over the array: `split` makes a list first, and asks for each byte through a closure.
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "&") { end += 1 }
            let pair = bytes[start..<end]
            start = end + 1
            if pair.isEmpty { continue }
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let value = equals == pair.endIndex ? [] : pair[(equals + 1)...]
            guard let name = FormEncoding.decode(pair[..<equals]), let value = FormEncoding.decode(value) else {
                throw .invalidRequest("the body is not valid form data")
            }
            try self.add(name, value)
        }
    }

    /// Parses a JSON object whose members are strings or null.
    init(json bytes: [UInt8]) throws(OAuthError) {
        guard let document = try? JSONReader.parse(bytes.span.bytes), case .object(let members) = document else {
            throw .invalidRequest("the body is not a JSON object, or names a member twice")
        }
        for member in members {
            switch member.value {
            case .string(let value): try self.add(member.name, value)
            case .null: continue
            default: throw .invalidRequest("every member of the body is a string")
            }
        }
    }

    private mutating func add(_ name: String, _ value: String) throws(OAuthError) {
        if value.isEmpty { return }
        guard self.values.updateValue(value, forKey: name) == nil else {
            throw .invalidRequest("a parameter is given twice")
        }
    }
}
