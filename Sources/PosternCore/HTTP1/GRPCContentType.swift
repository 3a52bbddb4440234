/// The content-type of a gRPC call: of the protocol itself or of gRPC-Web, whose messages are framed alike, with the coding
/// of its messages where that is a usual one. A call is answered with the type that it came with: there are clients that
/// take no other for an answer.
///
/// "PROTOCOL-HTTP2" and "PROTOCOL-WEB" of the gRPC documents.
public enum GRPCContentType: String, CaseIterable, Sendable {
    case grpc = "application/grpc"
    case grpcProto = "application/grpc+proto"
    case grpcJSON = "application/grpc+json"
    case web = "application/grpc-web"
    case webProto = "application/grpc-web+proto"
    case webJSON = "application/grpc-web+json"
    case webText = "application/grpc-web-text"
    case webTextProto = "application/grpc-web-text+proto"

    /// Bytes of `application/grpc`, with which every one of them begins.
    private static let prefix = 16

    /// Reads the value of Content-Type, in any case and with any parameters; nil if it is none of gRPC's, or one that only
    /// begins like them. Another coding of the messages (`+thrift`) reads as none named.
    @inline(__always)
    public init?(_ value: RawSpan) {
        // Nearly every message that is not gRPC's ends here.
        guard value.byteCount >= Self.prefix, value.word(8).asciiLowercased == UInt64(ascii: "ion/grpc") else {
            return nil
        }
        guard let type = Self.read(value) else { return nil }
        self = type
    }

    @inline(never)
    private static func read(_ value: RawSpan) -> GRPCContentType? {
        guard value.extracting(0..<8).equalsIgnoringCase("applicat") else { return nil }
        var end = Self.prefix
        while end < value.byteCount, value.byte(end) != UInt8(ascii: ";"), value.byte(end) != UInt8(ascii: " "),
            value.byte(end) != UInt8(ascii: "\t")
        {
            end &+= 1
        }
        var family = Self.prefix
        while family < end, value.byte(family) != UInt8(ascii: "+") { family &+= 1 }
        let coding = value.extracting(family..<end)
        let isProto = coding.equalsIgnoringCase("+proto")
        let rest = value.extracting(Self.prefix..<family)
        if rest.byteCount == 0 { return isProto ? .grpcProto : coding.equalsIgnoringCase("+json") ? .grpcJSON : .grpc }
        if rest.equalsIgnoringCase("-web") {
            return isProto ? .webProto : coding.equalsIgnoringCase("+json") ? .webJSON : .web
        }
        guard rest.equalsIgnoringCase("-web-text") else { return nil }
        return isProto ? .webTextProto : .webText
    }
}
