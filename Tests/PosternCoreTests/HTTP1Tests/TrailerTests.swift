import PosternCore
import Testing

@Suite struct TrailerTests {
    @Test(
        "trailers that are passed on, at every cut",
        arguments: [
            Row("X: y\r\n", "X: y\r\n", "one field"),
            Row("X: y\r\nZ:\r\n", "X: y\r\nZ:\r\n", "two fields, one empty"),
            Row("grpc-status: 0\r\ngrpc-message: é\r\n", "grpc-status: 0\r\ngrpc-message: é\r\n", "gRPC's"),
            Row("Digest:\tx \r\n", "Digest:\tx \r\n", "blanks stay as they are"),
            Row("Authentication-Info: x\r\n", "Authentication-Info: x\r\n", "what RFC 7615 allows"),
        ] as [Row<String>])
    func accepted(_ row: Row<String>) {
        let bytes = Array("1\r\na\r\n0\r\n\(row.text)\r\nGET".utf8)
        for cuts in [[]] + everyCut(bytes) {
            let body = decode(bytes, .chunked, cuts: cuts)
            #expect(body.end == .complete)
            #expect(String(decoding: body.trailers, as: UTF8.self) == row.expected)
            #expect(body.used == bytes.count - 3)
        }
    }

    @Test(
        "trailers that are malformed, at every cut",
        arguments: [
            Row("X : y\r\n", true, "a space before the colon"), Row("X\r\n", true, "no colon"),
            Row(": y\r\n", true, "an empty name"), Row(" X: y\r\n", true, "a folded line"),
            Row("X: y\r\n z\r\n", true, "a folded value"), Row("X: \0\r\n", true, "NUL"),
            Row("X: y\n", true, "a bare LF"), Row("X: y\rz\r\n", true, "a bare CR"),
            Row("X: \u{7F}\r\n", true, "DEL"), Row("GET / HTTP/1.1\r\n", true, "a request line"),
        ] as [Row<Bool>])
    func malformed(_ row: Row<Bool>) {
        let bytes = Array("0\r\n\(row.text)\r\n".utf8)
        for cuts in [[]] + everyCut(bytes) {
            #expect(decode(bytes, .chunked, cuts: cuts).end == .problem(.malformed(.trailer)), "\(cuts)")
        }
    }

    @Test(
        "fields of framing, routing, authentication and of one connection are no trailers",
        arguments: [
            "Content-Length", "Transfer-Encoding", "Host", "Authorization", "Proxy-Authorization", "Proxy-Authenticate",
            "WWW-Authenticate", "Cookie", "Set-Cookie", "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
            "Upgrade", "HTTP2-Settings", "Expect", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto",
            "X-Forwarded-Host", "x_forwarded_for", "X-Request-Id", "traceparent", "Content-Type",
        ])
    func forbidden(_ name: String) {
        for spelling in [name, name.lowercased(), name.uppercased()] {
            let text = "0\r\nX: y\r\n\(spelling): z\r\n\r\n"
            #expect(chunkProblem(text) == .trailer, "\(spelling)")
        }
    }

    @Test("a trailer section of exactly the limit passes and one byte more is refused, at every cut")
    func limit() {
        let bytes = Array("0\r\nX: yz\r\n\r\n".utf8)
        let count = bytes.count - 3
        for cuts in [[]] + everyCut(bytes) {
            #expect(decode(bytes, .chunked, cuts: cuts, trailerLimit: count).end == .complete)
            let over = decode(bytes, .chunked, cuts: cuts, trailerLimit: count - 1)
            #expect(over.end == .problem(.malformed(.trailer)))
        }
    }

    @Test("an endless trailer section is refused at its limit, not kept")
    func endless() {
        let text = "0\r\nX: " + String(repeating: "a", count: 200)
        #expect(decode(Array(text.utf8), .chunked, trailerLimit: 100).end == .problem(.malformed(.trailer)))
        #expect(decode(Array(text.utf8), .chunked, trailerLimit: 1000).end == .needMore)
    }
}
