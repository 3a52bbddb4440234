/// What HPACK leaves open about a field of HTTP/2 (RFC 9113 section 8.2). A field is length-prefixed there and may hold any
/// octet: what is not checked here would be written into a head of HTTP/1.1 as it stands, line ends included.
public enum HTTP2FieldRules {
    /// Whether the bytes are a field name: a token without upper-case letters (section 8.2.1). Pseudo-header fields, which
    /// begin with a colon, are none.
    public static func isName(_ name: RawSpan) -> Bool {
        let count = name.byteCount
        guard count > 0, endOfToken(name, from: 0, to: count) == count else { return false }
        for i in 0..<count where name.byte(i) &- UInt8(ascii: "A") < 26 { return false }
        return true
    }

    /// Whether the bytes are a field value: no control character but a tab inside, and no whitespace around (section 8.2.1).
    /// U+FFFD is refused, too: the decoder of HPACK puts it in place of what is no UTF-8, and what was there is lost.
    public static func isValue(_ value: RawSpan) -> Bool {
        let count = value.byteCount
        guard count > 0 else { return true }
        guard !Self.isBlank(value.byte(0)), !Self.isBlank(value.byte(count &- 1)) else { return false }
        var i = 0
        while true {
            i = firstControl(value, from: i, to: count)
            guard i < count else { break }
            guard value.byte(i) == UInt8(ascii: "\t") else { return false }
            i &+= 1
        }
        return !Self.holdsReplacement(value)
    }

    /// Checks a line, `name ": " value` without its end, of which the name has `nameEnd` bytes.
    ///
    /// - Returns: what the name is.
    static func check(_ line: RawSpan, nameEnd: Int) throws(HTTP2Malformation) -> FieldName {
        let name = line.extracting(0..<nameEnd)
        guard Self.isName(name) else { throw .fieldName }
        guard Self.isValue(line.extracting((nameEnd &+ 2)..<line.byteCount)) else { throw .fieldValue }
        let kind = FieldName.classify(name, 0, nameEnd)
        guard !Self.isConnectionSpecific(kind) else { throw .connectionField }
        return kind
    }

    /// Whether the field speaks of a connection, and so has no place in HTTP/2 (section 8.2.2). `te` is another matter.
    static func isConnectionSpecific(_ kind: FieldName) -> Bool {
        switch kind {
        case .connection, .transferEncoding, .keepAlive, .proxyConnection, .upgrade: true
        default: false
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func holdsReplacement(_ value: RawSpan) -> Bool {
        var i = 0
        // Nearly every value is of ASCII.
        while i &+ 8 <= value.byteCount, value.word(i) & 0x8080_8080_8080_8080 == 0 { i &+= 8 }
        while i &+ 2 < value.byteCount {
            if value.byte(i) == 0xEF, value.byte(i &+ 1) == 0xBF, value.byte(i &+ 2) == 0xBD { return true }
            i &+= 1
        }
        return false
    }
}

/// Why a request of HTTP/2 is malformed (RFC 9113 section 8.1.1): the stream ends with PROTOCOL_ERROR.
public enum HTTP2Malformation: String, Error, Equatable, Sendable {
    case fieldName = "a field name is empty, has an upper-case letter or a character that names cannot have"
    case fieldValue = "a field value has a control character, or whitespace around it, or is not UTF-8"
    case connectionField = "a field speaks of the connection"
    case teField = "TE is not trailers"
    case pseudoOrder = "a pseudo-header field comes after others"
    case pseudoUnknown = "a pseudo-header field is not one of requests"
    case pseudoRepeated = "a pseudo-header field is repeated"
    case pseudoMissing = "a pseudo-header field is missing, or has no place in this request"
    case pseudoValue = "a pseudo-header field has a value that it cannot have"
    case hostMismatch = "Host and :authority name different hosts, or Host is repeated"
    case contentLength = "Content-Length is not one plain decimal number, or not the length of the content"
    case trailers = "the trailers do not end the request, or hold a pseudo-header field"
}
