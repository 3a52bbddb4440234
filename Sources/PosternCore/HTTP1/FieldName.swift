/// The header fields that the proxy itself reads, sets or removes; everything else is `other` and passes as it came.
///
/// A name is classified once, while the head is read, so that later stages compare one byte.
public enum FieldName: UInt8, Sendable {
    case other
    case host, connection, contentLength, transferEncoding, authorization, expect, upgrade
    case te, keepAlive, proxyConnection, http2Settings, trailer
    case proxyAuthorization, proxyAuthenticate
    /// `Forwarded`, and every `X-Forwarded-*` in any spelling with `_` for `-`.
    case forwarded
    case xRequestID, traceparent, tracestate, contentType, grpcTimeout
    case origin

    /// Whether the field speaks of one connection only and is never passed on (RFC 9110 section 7.6.1).
    public var isHopByHop: Bool {
        switch self {
        case .connection, .transferEncoding, .upgrade, .te, .keepAlive, .proxyConnection, .http2Settings,
            .proxyAuthorization:
            true
        default:
            false
        }
    }

    /// Whether the field decides framing, routing or who the caller is, so that it may not come as a trailer
    /// (RFC 9110 section 6.5.1).
    public var isForbiddenInTrailers: Bool {
        switch self {
        case .host, .contentLength, .authorization, .expect, .forwarded, .xRequestID, .traceparent, .trailer,
            .proxyAuthenticate, .contentType:
            true
        case .other, .tracestate, .grpcTimeout:
            false
        default:
            self.isHopByHop
        }
    }

    /// Classifies a field name. ASCII case is ignored; length and first letter decide before anything is compared.
    @inline(__always)
    static func classify(_ bytes: RawSpan, _ start: Int, _ end: Int) -> FieldName {
        let count = end &- start
        guard count >= 2 else { return .other }
        switch bytes.byte(start) | 0x20 {
        case UInt8(ascii: "a"), UInt8(ascii: "c"), UInt8(ascii: "e"), UInt8(ascii: "f"), UInt8(ascii: "h"),
            UInt8(ascii: "k"), UInt8(ascii: "p"), UInt8(ascii: "t"), UInt8(ascii: "u"), UInt8(ascii: "x"),
            UInt8(ascii: "g"), UInt8(ascii: "o"):
            return Self.known(bytes.extracting(start..<end))
        default:
            return .other
        }
    }

    private static func known(_ name: RawSpan) -> FieldName {
        let count = name.byteCount
        guard count >= 8 else { return Self.short(name) }
        // A name of up to 16 bytes is its first eight and its last eight, which may overlap.
        let first = name.word(0).asciiLowercased
        let last = name.word(count &- 8).asciiLowercased
        switch count {
        case 9 where first == UInt64(ascii: "forwarde") && last == UInt64(ascii: "orwarded"): return .forwarded
        case 10 where first == UInt64(ascii: "connecti") && last == UInt64(ascii: "nnection"): return .connection
        case 10 where first == UInt64(ascii: "keep-ali") && last == UInt64(ascii: "ep-alive"): return .keepAlive
        case 10 where first == UInt64(ascii: "tracesta") && last == UInt64(ascii: "acestate"): return .tracestate
        case 11 where first == UInt64(ascii: "tracepar") && last == UInt64(ascii: "ceparent"): return .traceparent
        case 12 where first == UInt64(ascii: "content-") && last == UInt64(ascii: "ent-type"): return .contentType
        case 12 where first == UInt64(ascii: "x-reques") && last == UInt64(ascii: "quest-id"): return .xRequestID
        case 12 where first == UInt64(ascii: "grpc-tim") && last == UInt64(ascii: "-timeout"): return .grpcTimeout
        case 13 where first == UInt64(ascii: "authoriz") && last == UInt64(ascii: "rization"): return .authorization
        case 14 where first == UInt64(ascii: "content-") && last == UInt64(ascii: "t-length"): return .contentLength
        case 14 where first == UInt64(ascii: "http2-se") && last == UInt64(ascii: "settings"): return .http2Settings
        case 16 where first == UInt64(ascii: "proxy-co") && last == UInt64(ascii: "nnection"): return .proxyConnection
        case 13...: return Self.long(name, first: first, last: last)
        default: return .other
        }
    }

    /// Names of up to seven bytes: all of them in one word.
    private static func short(_ name: RawSpan) -> FieldName {
        let count = name.byteCount
        switch name.shortWord.asciiLowercased {
        case UInt64(ascii: "te") where count == 2: return .te
        case UInt64(ascii: "host") where count == 4: return .host
        case UInt64(ascii: "expect") where count == 6: return .expect
        case UInt64(ascii: "origin") where count == 6: return .origin
        case UInt64(ascii: "upgrade"): return .upgrade
        case UInt64(ascii: "trailer"): return .trailer
        default: return .other
        }
    }

    /// Names of more than 16 bytes, and what only begins with a known prefix.
    private static func long(_ name: RawSpan, first: UInt64, last: UInt64) -> FieldName {
        if first == UInt64(ascii: "transfer"), last == UInt64(ascii: "encoding"), name.byteCount == 17 {
            return name.byte(8) == UInt8(ascii: "-") ? .transferEncoding : .other
        }
        if first == UInt64(ascii: "proxy-au") {
            let middle = name.byteCount >= 16 ? name.word(8).asciiLowercased : 0
            switch name.byteCount {
            case 18 where middle == UInt64(ascii: "thentica") && last == UInt64(ascii: "enticate"):
                return .proxyAuthenticate
            case 19 where middle == UInt64(ascii: "thorizat") && last == UInt64(ascii: "rization"):
                return .proxyAuthorization
            default: return .other
            }
        }
        return Self.isXForwarded(name) ? .forwarded : .other
    }

    /// Whether the name is `X-Forwarded-…`, with `_` read as `-` as many servers do.
    private static func isXForwarded(_ name: RawSpan) -> Bool {
        let prefix: StaticString = "x-forwarded-"
        guard name.byteCount > prefix.utf8CodeUnitCount else { return false }
        return prefix.withUTF8Buffer { expected in
            for i in 0..<expected.count {
                let byte = name.byte(i) == UInt8(ascii: "_") ? UInt8(ascii: "-") : name.byte(i).asciiLowercased
                if byte != expected[i] { return false }
            }
            return true
        }
    }
}

/// One field line of a head: where its parts stand in the bytes.
public struct HeaderField: Equatable, Sendable {
    /// The name; its start is the start of the line.
    public var name: ByteRange
    /// The value without surrounding whitespace.
    public var value: ByteRange
    /// After the line's CRLF.
    public var end: Int32
    public var kind: FieldName

    /// The whole line with its CRLF.
    @inlinable public var line: ByteRange { ByteRange(Int(self.name.start), Int(self.end)) }
}
