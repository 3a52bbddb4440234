import Testing

@testable import PosternCore

@Suite struct FieldNameTests {
    private static func classify(_ name: String) -> FieldName {
        let bytes = Array(" \(name):".utf8)
        return FieldName.classify(bytes.span.bytes, 1, bytes.count - 1)
    }

    @Test(
        "each known name is known in every case",
        arguments: [
            Row("Host", .host, ""), Row("Connection", .connection, ""), Row("Content-Length", .contentLength, ""),
            Row("Transfer-Encoding", .transferEncoding, ""), Row("Authorization", .authorization, ""),
            Row("Expect", .expect, ""), Row("Upgrade", .upgrade, ""), Row("TE", .te, ""),
            Row("Keep-Alive", .keepAlive, ""),
            Row("Proxy-Connection", .proxyConnection, ""), Row("HTTP2-Settings", .http2Settings, ""),
            Row("Trailer", .trailer, ""), Row("Proxy-Authorization", .proxyAuthorization, ""),
            Row("Proxy-Authenticate", .proxyAuthenticate, ""), Row("Forwarded", .forwarded, ""),
            Row("X-Request-Id", .xRequestID, ""), Row("traceparent", .traceparent, ""),
            Row("tracestate", .tracestate, ""),
            Row("Content-Type", .contentType, ""), Row("grpc-timeout", .grpcTimeout, ""),
            Row("Origin", .origin, ""),
        ] as [Row<FieldName>])
    func known(_ row: Row<FieldName>) {
        for name in [row.text, row.text.lowercased(), row.text.uppercased()] {
            #expect(Self.classify(name) == row.expected, "\(name)")
        }
        // One letter less, one more, or another last letter is another name.
        for name in [String(row.text.dropLast()), row.text + "x", String(row.text.dropLast()) + "~"] {
            #expect(Self.classify(name) == .other, "\(name)")
        }
    }

    @Test(
        "every X-Forwarded field is known, whatever its length and in any spelling with underscores",
        arguments: [
            "X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-HOST", "X-Forwarded-Port", "X_Forwarded_For",
            "x-forwarded_user", "X-Forwarded-Authorization", "X-Forwarded-a", "X-Forwarded-ab", "X-Forwarded-abc",
            "X-Forwarded-abcd", "X-Forwarded-abcde", "X-Forwarded-abcdef", "X-Forwarded-Client-Cert", "X-Forwarded-_",
            "X-Forwarded-\(String(repeating: "a", count: 52))", "X-Forwarded-\(String(repeating: "a", count: 200))",
        ])
    func forwarded(_ name: String) {
        #expect(Self.classify(name) == .forwarded)
    }

    @Test(
        "names that only look like known ones are others",
        arguments: [
            "", "x", "Hos", "Hosts", "X-Forwarded-", "X-Forwarded", "XX-Forwarded-For", "X-Forwardedx-For",
            "Content_Length",
            "Transfer_Encoding", "Content-Lengtk", "Pragma", "X-User-Id", "Cookie", "Zebra", "6ost", "H\u{4F}ST-",
            // Words of known names, in other lengths, or with something else between them.
            "Transfer.Encoding", "Transfer--Encoding", "TransferEncoding", "Proxy-Authentication", "Proxy-Authxnticate",
            "Proxy-Auxhenticate", "Proxy-Autxorization", "Proxy-Aucate", "Proxy-Connnection", "Proxy-Connexction",
            "Forwardeorwarded", "Content-t-length", "Conten--type", "X-Requesquest-Id", "Traceparceparent",
            "Keep-ali-alive", "Authorizrization", "HTTP2-SeSettings", "te\0", "host\0\0\0", "expect\0", "\0host",
        ])
    func others(_ name: String) {
        #expect(Self.classify(name) == .other)
    }

    @Test("hop-by-hop fields are those of RFC 9110 section 7.6.1 and the old ones; none of them may be a trailer")
    func hopByHop() {
        let all: [FieldName] = (0...FieldName.grpcTimeout.rawValue).compactMap(FieldName.init(rawValue:))
        let expected: Set<FieldName> = [
            .connection, .transferEncoding, .upgrade, .te, .keepAlive, .proxyConnection, .http2Settings,
            .proxyAuthorization,
        ]
        #expect(Set(all.filter(\.isHopByHop)) == expected)
        for field in expected { #expect(field.isForbiddenInTrailers) }
    }
}
