import PosternCore
import Testing

/// CORS lines in answers: Postern's refusals, and the responses of the service.
@Suite struct CrossOriginLinesTests {
    private static let exposed = "Access-Control-Expose-Headers: WWW-Authenticate, X-Request-Id, Retry-After"
    private static let two = CrossOrigin(
        CrossOriginRules(origins: ["https://a", "https://b"], expose: ["X-Total", "x-request-id"], credentials: true),
        patterns: [])
    private static let any = CrossOrigin(CrossOriginRules(origins: ["*"]), patterns: [])

    private static func lines(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }

    @Test("a refusal names the origin that may read it, and says that others may not")
    func refusals() {
        #expect(
            Self.lines(Self.two.refusalLines(for: 1)) == [
                "Access-Control-Allow-Origin: https://b", "Access-Control-Allow-Credentials: true",
                "\(Self.exposed), X-Total", "Vary: Origin",
            ])
        #expect(Self.lines(Self.two.refusalLines(for: CrossOrigin.noOrigin)) == ["Vary: Origin"])
        #expect(Self.lines(Self.two.refusalLines(for: 7)) == ["Vary: Origin"])
    }

    @Test("where every origin is allowed the lines are the same for all, and nothing varies")
    func refusalsForAll() {
        for origin in [0, CrossOrigin.noOrigin] {
            #expect(
                Self.lines(Self.any.refusalLines(for: origin)) == ["Access-Control-Allow-Origin: *", Self.exposed])
        }
    }

    @Test("where preflights are forwarded, origins are the service's affair")
    func refusalsWhenForwarding() {
        #expect(CrossOrigin(nil, patterns: []).refusalLines(for: CrossOrigin.noOrigin).isEmpty)
    }

    @Test("the lines stand in the head of a refusal")
    func refusalHead() {
        let bytes = Answer(realm: "r").bytes(
            for: Refusal(.missingToken, "Send a token."), requestID: Array("i".utf8), toHead: true, close: true,
            crossOrigin: Self.two.refusalLines(for: 0))
        let lines = Self.lines(bytes)
        #expect(lines.filter { $0 == "Access-Control-Allow-Origin: https://a" }.count == 1)
        #expect(lines.last == "Connection: close")
        #expect(lines.dropLast().last == "Vary: Origin")
    }

    // MARK: - The service's responses

    private static func compose(_ fields: [String], _ lines: CrossOriginLines) throws -> [String] {
        let text = "HTTP/1.1 200 OK\r\n" + fields.map { $0 + "\r\n" }.joined() + "Content-Length: 0\r\n\r\n"
        let read = try #require(try readResponse(text))
        var output: [UInt8] = []
        DownstreamHead.compose(
            read.bytes.span.bytes, read.head, client: .init(minorVersion: 1, close: false), framing: .plain,
            crossOrigin: lines, into: &output)
        #expect(output.suffix(4) == Array("\r\n\r\n".utf8)[...])
        return Self.lines(output)
    }

    @Test("the service's own word about origins is replaced, once, whatever it was")
    func serviceLines() throws {
        let own = [
            "access-control-allow-origin: *", "Server: x", "ACCESS-CONTROL-ALLOW-ORIGIN: https://evil",
            "Access-Control-Allow-Credentials: true", "Access-Control-Expose-Headers: X-Secret",
            "Access-Control-Allow-Methods: PUT", "Access-Control-Allow-Headers: *", "Access-Control-Max-Age: 1",
            "Timing-Allow-Origin: *",
        ]
        let kept = ["HTTP/1.1 200 OK", "Server: x", "Timing-Allow-Origin: *", "Content-Length: 0"]
        #expect(
            try Self.compose(own, Self.two.lines(for: 0)) == kept + [
                "Access-Control-Allow-Origin: https://a", "Access-Control-Allow-Credentials: true",
                "\(Self.exposed), X-Total", "Vary: Origin",
            ])
        #expect(try Self.compose(own, Self.two.lines(for: CrossOrigin.noOrigin)) == kept + ["Vary: Origin"])
    }

    @Test(
        "Vary is merged: the service's stays, and Origin is named once",
        arguments: [
            ([String](), 1), (["Vary: Accept-Encoding"], 1), (["vary: accept, ORIGIN"], 0), (["Vary: *"], 0),
            (["Vary: Accept", "Vary: origin"], 0), (["Vary: Origin-Agent"], 1), (["X-Vary: Origin"], 1),
            (["Connection: vary", "Vary: Origin"], 1),
        ])
    func vary(row: ([String], Int)) throws {
        let lines = try Self.compose(row.0, Self.two.lines(for: 0))
        #expect(
            lines.filter { $0 == "Vary: Origin" }.count == row.1
                + row.0.filter { $0 == "Vary: Origin" && row.1 == 0 }.count)
        #expect(try !Self.compose(row.0, Self.any.lines(for: 0)).dropFirst(row.0.count + 1).contains("Vary: Origin"))
    }

    @Test("with every origin allowed, a request without one gets the same lines")
    func serviceLinesForAll() throws {
        let with = try Self.compose([], Self.any.lines(for: 0))
        #expect(with == (try Self.compose([], Self.any.lines(for: CrossOrigin.noOrigin))))
        #expect(with.contains("Access-Control-Allow-Origin: *"))
    }

    @Test("hop-by-hop lines go as ever, and the framing of this side follows")
    func hopByHop() throws {
        let text = "HTTP/1.0 200\r\nConnection: x-a\r\nX-A: b\r\nKeep-Alive: timeout=1\r\n\r\n"
        let read = try #require(try readResponse(text))
        var output: [UInt8] = []
        DownstreamHead.compose(
            read.bytes.span.bytes, read.head, client: .init(minorVersion: 1, close: true), framing: .chunked,
            crossOrigin: Self.any.lines(for: 0), into: &output)
        #expect(
            Self.lines(output) == [
                "HTTP/1.1 200 ", "Access-Control-Allow-Origin: *", Self.exposed, "Transfer-Encoding: chunked",
                "Connection: close",
            ])
    }
}
