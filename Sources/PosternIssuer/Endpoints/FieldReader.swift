import Hummingbird
import NIOCore
import PosternCore

/// Reads the members of a JSON object that somebody sent, and collects everything that is wrong with them: the answer
/// (422) names every bad field at once.
struct FieldReader {
    /// Octets of a body.
    static let limit = 64 * 1024

    private let object: JSONValue
    private(set) var problems: [(field: String, detail: String)] = []

    /// - Parameter fields: The members that may be there; any other is a problem, because a misspelled name would
    ///   otherwise be ignored in silence.
    init(_ object: JSONValue, fields: [String]) {
        self.object = object
        guard case .object(let members) = object else { return }
        for member in members where !fields.contains(member.name) {
            let name = member.name.utf8.count <= 64 ? member.name : "(a long name)"
            self.problems.append((name, "is not a field of this; there are \(fields.joined(separator: ", "))"))
        }
    }

    /// The body of a request as a JSON object. Throws `Problem`: 415, 413, or 400 if it is none.
    static func body(of request: Request, fields: [String]) async throws -> FieldReader {
        guard MediaType(of: request.headers) == .json else {
            throw Problem(
                status: .unsupportedMediaType, code: "unsupported_media_type", title: "Unsupported media type",
                detail: "the body is application/json")
        }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: Self.limit)
        } catch is NIOTooManyBytesError {
            throw Problem(
                status: .contentTooLarge, code: "body_too_large", title: "Body too large",
                detail: "the body is longer than \(Self.limit) bytes")
        }
        do {
            let value = try JSONReader.parse([UInt8](buffer: buffer).span.bytes)
            guard case .object = value else { throw Self.malformed("the body is not a JSON object") }
            return FieldReader(value, fields: fields)
        } catch let problem as JSONProblem {
            throw Self.malformed("the body is not JSON: \(problem)")
        }
    }

    /// The same, but a request without a body (and without a type of it) is an empty object.
    static func optionalBody(of request: Request, fields: [String]) async throws -> FieldReader {
        let isAbsent =
            request.headers[.contentType] == nil && request.headers[.transferEncoding] == nil
            && (request.headers[.contentLength] ?? "0") == "0"
        return isAbsent ? FieldReader(.object([]), fields: fields) : try await Self.body(of: request, fields: fields)
    }

    private static func malformed(_ detail: String) -> Problem {
        Problem(status: .badRequest, code: "malformed_body", title: "Malformed body", detail: detail)
    }

    /// Whether the member is there; null counts.
    func has(_ field: String) -> Bool {
        self.object[field] != nil
    }

    /// The member as it was sent.
    func value(_ field: String) -> JSONValue? {
        self.object[field]
    }

    mutating func refuse(_ field: String, _ detail: String) {
        self.problems.append((field, detail))
    }

    mutating func require(_ fields: String...) {
        for field in fields where self.object[field] == nil { self.refuse(field, "is missing") }
    }

    /// A string of at most `limit` octets without control characters; nil if it is not there or no such thing.
    mutating func string(_ field: String, limit: Int = 256, allowsEmpty: Bool = true) -> String? {
        guard let value = self.object[field] else { return nil }
        guard case .string(let text) = value else {
            self.refuse(field, "is not a string")
            return nil
        }
        guard text.utf8.count <= limit, allowsEmpty || !text.isEmpty,
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            self.refuse(field, "is \(allowsEmpty ? "0" : "1") to \(limit) bytes long, without control characters")
            return nil
        }
        return text
    }

    mutating func bool(_ field: String) -> Bool? {
        guard let value = self.object[field] else { return nil }
        guard case .bool(let flag) = value else {
            self.refuse(field, "is true or false")
            return nil
        }
        return flag
    }

    mutating func integer(_ field: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = self.object[field] else { return nil }
        guard case .number(_, let text) = value, let number = Int(text), range.contains(number) else {
            self.refuse(field, "is a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// An array of distinct strings.
    mutating func strings(_ field: String, most: Int = 256, limit: Int = 256) -> [String]? {
        guard let value = self.object[field] else { return nil }
        guard case .array(let items) = value, items.count <= most else {
            self.refuse(field, "is an array of at most \(most) strings")
            return nil
        }
        let texts = items.compactMap(\.string)
        guard texts.count == items.count, Set(texts).count == texts.count,
            texts.allSatisfy({ (1...limit).contains($0.utf8.count) })
        else {
            self.refuse(field, "is an array of distinct strings of 1 to \(limit) bytes")
            return nil
        }
        return texts
    }

    /// Throws the answer if anything was wrong.
    func finish() throws(Problem) {
        guard !self.problems.isEmpty else { return }
        let names = self.problems.map(\.field).joined(separator: ", ")
        throw Problem(
            status: .unprocessableContent, code: "invalid_fields", title: "Invalid fields",
            detail: "these fields are wrong: \(names)",
            errors: self.problems.map { .record([("field", .string($0.field)), ("detail", .string($0.detail))]) })
    }
}
