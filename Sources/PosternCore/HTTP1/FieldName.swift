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
            UInt8(ascii: "g"):
            return Self.known(bytes.extracting(start..<end))
        default:
            return .other
        }
    }

    private static func known(_ name: RawSpan) -> FieldName {
        switch name.byteCount {
        case 2: return name.equalsIgnoringCase("te") ? .te : .other
        case 4: return name.equalsIgnoringCase("host") ? .host : .other
        case 6: return name.equalsIgnoringCase("expect") ? .expect : .other
        case 7:
            if name.equalsIgnoringCase("upgrade") { return .upgrade }
            return name.equalsIgnoringCase("trailer") ? .trailer : .other
        case 9: return name.equalsIgnoringCase("forwarded") ? .forwarded : .other
        case 10:
            if name.equalsIgnoringCase("connection") { return .connection }
            if name.equalsIgnoringCase("keep-alive") { return .keepAlive }
            return name.equalsIgnoringCase("tracestate") ? .tracestate : .other
        case 11: return name.equalsIgnoringCase("traceparent") ? .traceparent : .other
        case 12:
            if name.equalsIgnoringCase("content-type") { return .contentType }
            if name.equalsIgnoringCase("x-request-id") { return .xRequestID }
            return name.equalsIgnoringCase("grpc-timeout") ? .grpcTimeout : .other
        case 13:
            if name.equalsIgnoringCase("authorization") { return .authorization }
        case 14:
            if name.equalsIgnoringCase("content-length") { return .contentLength }
            if name.equalsIgnoringCase("http2-settings") { return .http2Settings }
        case 16:
            if name.equalsIgnoringCase("proxy-connection") { return .proxyConnection }
        case 17:
            if name.equalsIgnoringCase("transfer-encoding") { return .transferEncoding }
        case 18:
            if name.equalsIgnoringCase("proxy-authenticate") { return .proxyAuthenticate }
        case 19:
            if name.equalsIgnoringCase("proxy-authorization") { return .proxyAuthorization }
        default:
            break
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
