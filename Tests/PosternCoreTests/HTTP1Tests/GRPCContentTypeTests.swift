import Testing

@testable import PosternCore

@Suite struct GRPCContentTypeTests {
    private static func read(_ value: String) -> GRPCContentType? {
        let bytes = Array(value.utf8)
        return GRPCContentType(bytes.span.bytes)
    }

    @Test("every type is read as itself, in any case and with parameters", arguments: GRPCContentType.allCases)
    func itself(_ type: GRPCContentType) {
        for value in [
            type.rawValue, type.rawValue.uppercased(), type.rawValue + ";charset=utf-8", type.rawValue + " ; a=b",
            type.rawValue + "\t;a",
        ] {
            #expect(Self.read(value) == type, "\(value)")
        }
    }

    @Test(
        "another coding of the messages reads as none named",
        arguments: [
            ("application/grpc+thrift", .grpc), ("application/grpc+", .grpc), ("application/grpc+protobuf", .grpc),
            ("application/grpc+proto+x", .grpc), ("application/grpc-web+thrift", .web),
            ("application/grpc-web-text+json", .webText), ("application/grpc;", .grpc),
        ] as [(String, GRPCContentType)])
    func otherCoding(_ value: String, _ type: GRPCContentType) {
        #expect(Self.read(value) == type)
    }

    @Test(
        "what only begins alike is none of them",
        arguments: [
            "", "a", "application/json", "application/grp", "application/grpcx", "application/grpc-webx",
            "application/grpc-web-textx", "application/grpc-webs+proto", "application/grpc/x", "application/grpc,a",
            "xpplication/grpc", "application+grpc", "text/plain; application/grpc", " application/grpc",
            "application/grpc-", "application/grpc-web-",
        ])
    func others(_ value: String) {
        #expect(Self.read(value) == nil)
    }
}
