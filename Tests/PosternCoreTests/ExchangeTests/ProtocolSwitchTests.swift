import Testing

@testable import PosternCore

@Suite struct ProtocolSwitchTests {
    private static let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    private static let version = "Sec-WebSocket-Version: 13"
    private static let socket = ["Connection: Upgrade", "Upgrade: websocket", key, version]

    private static func decide(
        _ fields: [String], line: String = "GET /x HTTP/1.1", others: [String] = []
    ) throws -> ProtocolSwitch.Decision {
        let text = ([line, "Host: a"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
        let bytes = Array(text.utf8)
        let head = try #require(try readRequest(text)).head
        return ProtocolSwitch.decide(bytes.span.bytes, head, others: others.map { Array($0.utf8) })
    }

    private static func other(_ name: String) -> ProtocolSwitch.Decision {
        .allowed(ProtocolSwitch(kind: .other, name: Array(name.utf8)))
    }

    @Test("a WebSocket handshake, in any spelling")
    func webSocket() throws {
        let spellings = [
            Self.socket,
            ["connection: keep-alive, UPGRADE", "upgrade: WebSocket", Self.key.lowercasedName, Self.version],
            ["Connection: Upgrade", "Upgrade: foo, websocket", Self.key, Self.version],
            ["Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket", Self.key, Self.version],
            ["Connection: Upgrade", "Upgrade: websocket", Self.key, "Sec-WebSocket-Version: 8"],
        ]
        for fields in spellings { #expect(try Self.decide(fields) == .allowed(.webSocket)) }
    }

    @Test(
        "a malformed handshake is refused",
        arguments: [
            ("POST /x HTTP/1.1", [key, version]), ("HEAD /x HTTP/1.1", [key, version]),
            ("GET /x HTTP/1.1", [key, version, "Content-Length: 1"]),
            ("GET /x HTTP/1.1", [key, version, "Transfer-Encoding: chunked"]), ("GET /x HTTP/1.1", [version]),
            ("GET /x HTTP/1.1", [key, key, version]), ("GET /x HTTP/1.1", [key]),
            ("GET /x HTTP/1.1", [key, version, version]), ("GET /x HTTP/1.1", [key, "Sec-WebSocket-Version: 013"]),
            ("GET /x HTTP/1.1", [key, "Sec-WebSocket-Version: 13, 8"]),
            ("GET /x HTTP/1.1", [key, "Sec-WebSocket-Version: 256"]),
            ("GET /x HTTP/1.1", ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", version]),
            ("GET /x HTTP/1.1", ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==", version]),
            ("GET /x HTTP/1.1", ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j-Q==", version]),
            ("GET /x HTTP/1.1", ["Sec-WebSocket-Key: ", version]),
        ])
    func malformed(_ line: String, _ fields: [String]) throws {
        let decision = try Self.decide(["Connection: Upgrade", "Upgrade: websocket"] + fields, line: line)
        guard case .refused(let refusal) = decision else {
            Issue.record("\(decision)")
            return
        }
        #expect(refusal.code == .badRequest)
    }

    @Test("what no route names goes on without its Upgrade")
    func ordinary() throws {
        let fields = [
            ["Upgrade: websocket", Self.key, Self.version], ["Connection: Upgrade", "Upgrade: foo"],
            ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"], ["Connection: Upgrade"],
            ["Connection: Upgrade", "Upgrade: websocket/13", Self.key, Self.version],
            ["Connection: Upgrade", "Upgrade: web socket"], ["Connection: Upgrade", "Upgrade: /1"],
        ]
        for each in fields { #expect(try Self.decide(each) == .ordinary) }
        #expect(try Self.decide(Self.socket, line: "GET /x HTTP/1.0") == .ordinary)
        #expect(
            try Self.decide(["Connection: upgrade", "Upgrade: HTTP/2.0, h2c/1"], others: ["http", "h2c"]) == .ordinary)
    }

    @Test("what a route names is asked for, the client's first that is allowed, with its version")
    func others() throws {
        let line = "POST /exec HTTP/1.1"
        let head = ["Connection: Upgrade", "Upgrade: SPDY/3.1, TCP, websocket", "Content-Length: 5"]
        #expect(try Self.decide(head, line: line, others: ["tcp", "spdy"]) == Self.other("SPDY/3.1"))
        #expect(try Self.decide(head, line: line, others: ["tcp"]) == Self.other("TCP"))
        #expect(
            try Self.decide(["Connection: upgrade", "Upgrade: tcp/a b, tcp/, tcp"], others: ["tcp"])
                == Self.other("tcp"))
    }

    @Test("the names that can never be allowed are never allowed")
    func never() {
        for name in ["h2c", "h2", "http", "websocket"] { #expect(ProtocolSwitch.isNever(Array(name.utf8))) }
        #expect(!ProtocolSwitch.isNever(Array("tls".utf8)))
    }

    // MARK: - Heads

    @Test("the upstream is asked for exactly one protocol, after everything that the client named is gone")
    func upstreamHead() throws {
        var composition = Composition()
        composition.upgrade = .webSocket
        let text =
            "GET /x HTTP/1.1\r\nHost: a\r\n" + (Self.socket + ["Upgrade: h2c"]).joined(separator: "\r\n") + "\r\n\r\n"
        let result = try composition.compose(text)
        let lines = result.lines.map { $0.lowercased() }
        #expect(lines.filter { $0.hasPrefix("upgrade:") } == ["upgrade: websocket"])
        #expect(lines.filter { $0.hasPrefix("connection:") } == ["connection: upgrade"])
        #expect(lines.contains(Self.key.lowercased()) && lines.contains(Self.version.lowercased()))
    }

    private static func accepts(_ fields: [String], line: String = "HTTP/1.1 101 Switching Protocols") -> Bool {
        let bytes = Array(([line] + fields).joined(separator: "\r\n").utf8) + Array("\r\n\r\n".utf8)
        var intake = ResponseIntake()
        guard case .head = intake.take(bytes.span.bytes, resumed: nil, limits: HeadLimits(), toHead: false) else {
            return false
        }
        return intake.accepts(bytes.span.bytes, .webSocket)
    }

    @Test("a 101 accepts only the one protocol, said in both fields and without a body's")
    func accepted() {
        let good = ["Connection: upgrade", "Upgrade: WebSocket"]
        #expect(Self.accepts(good))
        #expect(Self.accepts(["Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Accept: x"]))
        let bad = [
            [], ["Upgrade: websocket"], ["Connection: upgrade"], ["Connection: upgrade", "Upgrade: foo"],
            ["Connection: upgrade", "Upgrade: websocket, foo"], good + ["Upgrade: websocket"],
            good + ["Content-Length: 0"], good + ["Transfer-Encoding: chunked"],
        ]
        for fields in bad { #expect(!Self.accepts(fields)) }
        #expect(!Self.accepts(good, line: "HTTP/1.1 200 OK"))
        #expect(!Self.accepts(good, line: "HTTP/1.0 101 Switching Protocols"))
    }

    @Test("the client's 101 has this side's fields and what else the upstream said")
    func clientHead() {
        let bytes = Array(
            "HTTP/1.1 101 Go\r\nUPGRADE: WebSocket\r\nX-A: 1\r\nConnection: x-gone, Upgrade\r\nX-Gone: 1\r\n\r\n".utf8)
        var intake = ResponseIntake()
        _ = intake.take(bytes.span.bytes, resumed: nil, limits: HeadLimits(), toHead: false)
        var output: [UInt8] = []
        intake.composeSwitch(bytes.span.bytes, .webSocket, into: &output)
        #expect(
            String(decoding: output, as: UTF8.self)
                == "HTTP/1.1 101 Go\r\nX-A: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    }
}

extension String {
    /// A field line with its name in lower case.
    fileprivate var lowercasedName: String {
        self.prefix { $0 != ":" }.lowercased() + self.drop { $0 != ":" }
    }
}
