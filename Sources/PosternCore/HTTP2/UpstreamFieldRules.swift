/// Why a response that came over HTTP/2 is no acceptable one: 502, and never passed on.
public enum UpstreamResponseProblem: String, Error, Equatable, Sendable {
    case fieldName = "a field name is empty, or holds an upper-case letter or another character that names cannot have"
    case fieldValue = "a field value holds a control character, or begins or ends with a blank"
    case connectionField = "a field that speaks of one connection, which HTTP/2 does not have"
    case pseudoHeader = "a pseudo-header other than one :status at the beginning of a response"
    case status = "a status that is not three digits from 100 to 599, or 101"
    case noStatus = "a response without :status"
    case contentLength = "a content-length that is not one plain decimal, or not what came"
    case unexpectedContent = "content where there can be none"
    case unexpectedHead = "an interim response that ends the stream, or fields after the response that do not"
    case tooLarge = "fields of more than their limit"
}

/// What RFC 9113 section 8.2 asks of fields, and HPACK leaves open.
enum UpstreamFieldRules {
    /// A field name (section 8.2.1): a token without upper-case letters.
    static func isName(_ name: String) -> Bool {
        guard !name.isEmpty else { return false }
        return name.utf8.allSatisfy { isTokenCharacter($0) && $0.asciiLowercased == $0 }
    }

    /// A field value (section 8.2.1), as strict as HTTP/1.1 is read here: no control character but a tab, no blank at
    /// either end.
    static func isValue(_ value: String) -> Bool {
        func isBlank(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard !isBlank(value.utf8.first), !isBlank(value.utf8.last) else { return false }
        return value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == UInt8(ascii: "\t") }
    }

    /// Whether a field speaks of one connection (section 8.2.2). TE is a request's, and there only `trailers`.
    static func isOfConnection(_ name: String) -> Bool {
        switch name {
        case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "te": true
        default: false
        }
    }

    /// One plain decimal number up to `Int64.max`, as `decimal` reads it in HTTP/1.1.
    static func number(_ value: String) -> Int64? {
        let digits = Array(value.utf8)
        return decimal(digits.span.bytes, ByteRange(0, digits.count))
    }
}
