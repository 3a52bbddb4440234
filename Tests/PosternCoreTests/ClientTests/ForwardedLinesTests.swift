import PosternCore
import Testing

@Suite struct ForwardedLinesTests {
    private static let identity = "X-User-Id: u-1\r\nX-User-Scopes: trade:read trade:open\r\nX-Auth-Issuer: permiso\r\n"
    private static let ids = keptIDs.map { $0 + "\r\n" }.joined()

    /// The forwarding lines that go up for a request with these lines of a trusted peer, or of the one set up.
    private static func forwarded(
        _ lines: [String], _ change: (inout Composition) -> Void = { _ in }
    ) throws -> [String] {
        var composition = Composition()
        composition.isTrusted = true
        change(&composition)
        let head =
            "GET /x HTTP/1.1\r\nHost: a.test:8080\r\n\(Self.ids)" + lines.map { $0 + "\r\n" }.joined()
            + "X-A: 1\r\n\r\n"
        let result = try composition.compose(head)
        let before = "GET /x HTTP/1.1\r\nHost: a.test:8080\r\n\(Self.ids)X-A: 1\r\n\(Self.identity)"
        #expect(result.text.hasPrefix(before), "\(result.text)")
        #expect(!result.spoofed)
        let rest = result.text.dropFirst(before.count)
        #expect(rest.hasSuffix("\r\n\r\n"))
        return rest.split(separator: "\r\n").map(String.init)
    }

    private static let own = ["X-Forwarded-For: 10.0.0.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.test:8080"]

    @Test("of a peer that is not trusted nothing is believed")
    func stranger() throws {
        let lines = [
            "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Forwarded-Port: 1",
            "X-Forwarded-Prefix: /evil", "Forwarded: for=6.6.6.6",
        ]
        #expect(try Self.forwarded(lines) { $0.isTrusted = false } == Self.own)
    }

    @Test("what a trusted peer does not say is what is true of this connection")
    func nothingSaid() throws {
        #expect(try Self.forwarded([]) == Self.own)
        let secure = try Self.forwarded([]) { $0.scheme = "https" }
        #expect(secure[1] == "X-Forwarded-Proto: https")
    }

    @Test(
        "the peer's address is appended to one line of all that it said",
        arguments: [
            (["X-Forwarded-For: 203.0.113.9"], "203.0.113.9, 10.0.0.7"),
            (["x-forwarded-for:203.0.113.9 , 10.1.1.1 "], "203.0.113.9 , 10.1.1.1, 10.0.0.7"),
            (["X-Forwarded-For: 203.0.113.9", "X-FORWARDED-FOR: 10.1.1.1"], "203.0.113.9, 10.1.1.1, 10.0.0.7"),
            (["X-Forwarded-For:", "X-Forwarded-For: unknown"], "unknown, 10.0.0.7"),
            (["X-Forwarded-For: "], "10.0.0.7"),
            (["X_Forwarded_For: 6.6.6.6", "X-Forwarded_For: 6.6.6.6"], "10.0.0.7"),
            (["X-Forwarded-For: 203.0.113.9", "Forwarded: for=6.6.6.6"], "203.0.113.9, 10.0.0.7"),
            (["Connection: X-Forwarded-For", "X-Forwarded-For: 203.0.113.9"], "203.0.113.9, 10.0.0.7"),
        ])
    func addresses(_ row: ([String], String)) throws {
        #expect(try Self.forwarded(row.0) == ["X-Forwarded-For: \(row.1)"] + Self.own.dropFirst())
    }

    @Test("the peer of a unix socket has no address to append")
    func socket() throws {
        let said = try Self.forwarded(["X-Forwarded-For: 203.0.113.9, 10.1.1.1", "X-Forwarded-Proto: https"]) {
            $0.address = ""
        }
        #expect(said == ["X-Forwarded-For: 203.0.113.9, 10.1.1.1", "X-Forwarded-Proto: https", Self.own[2]])
        #expect(try Self.forwarded([]) { $0.address = "" } == Array(Self.own.dropFirst()))
    }

    @Test(
        "scheme and host are believed if there is one that is well-formed",
        arguments: [
            (["X-Forwarded-Proto: https"], 1, "https"), (["x-forwarded-proto: HTTPS"], 1, "HTTPS"),
            (["X-Forwarded-Proto: wss"], 1, "wss"),
            (["X-Forwarded-Proto: https, http"], 1, "http"),
            (["X-Forwarded-Proto: https", "X-Forwarded-Proto: https"], 1, "http"),
            (["X-Forwarded-Proto: javascript"], 1, "http"), (["X-Forwarded-Proto:"], 1, "http"),
            (["X_Forwarded_Proto: https"], 1, "http"),
            (["X-Forwarded-Host: app.example"], 2, "app.example"),
            (["X-Forwarded-Host: [2001:db8::1]:8443"], 2, "[2001:db8::1]:8443"),
            (["X-Forwarded-Host: a, b"], 2, "a.test:8080"), (["X-Forwarded-Host: a/b"], 2, "a.test:8080"),
            (["X-Forwarded-Host: a b"], 2, "a.test:8080"), (["X-Forwarded-Host:"], 2, "a.test:8080"),
            (["X-Forwarded-Host: user@a"], 2, "a.test:8080"), (["X-Forwarded-Host: a:99999"], 2, "a.test:8080"),
            (["X-Forwarded-Host: one", "X-Forwarded-Host: two"], 2, "a.test:8080"),
            (["X-Forwarded_Host: evil"], 2, "a.test:8080"),
        ])
    func schemeAndHost(_ row: ([String], Int, String)) throws {
        var expected = Self.own
        expected[row.1] = (row.1 == 1 ? "X-Forwarded-Proto: " : "X-Forwarded-Host: ") + row.2
        #expect(try Self.forwarded(row.0) == expected)
    }

    @Test(
        "port and prefix go on if there is one that is well-formed; this hop has none of its own",
        arguments: [
            (["X-Forwarded-Port: 8443"], ["X-Forwarded-Port: 8443"]), (["X-Forwarded-Port: 0"], []),
            (["X-Forwarded-Port: 65536"], []),
            (["X-Forwarded-Port: 443, 80"], []), (["X-Forwarded-Port: 1", "X-Forwarded-Port: 1"], []),
            (["X-Forwarded-Port: 0443"], []),
            (["X_Forwarded_Port: 443"], []), (["X-Forwarded-Prefix: /api/v1"], ["X-Forwarded-Prefix: /api/v1"]),
            (["X-Forwarded-Prefix: //evil.example"], []), (["X-Forwarded-Prefix: evil"], []),
            (["X-Forwarded-Prefix: /a, /b"], []),
            (["X-Forwarded-Prefix: /a\\b"], []), (["X-Forwarded-Prefix: /a?b"], []), (["X-Forwarded-Prefix:"], []),
            (["X-Forwarded-Prefix: /a", "X-Forwarded-Port: 80"], ["X-Forwarded-Port: 80", "X-Forwarded-Prefix: /a"]),
        ])
    func portAndPrefix(_ row: ([String], [String])) throws {
        #expect(try Self.forwarded(row.0) == Self.own + row.1)
    }

    @Test(
        "other forwarding fields do not go on, whoever sent them",
        arguments: [
            "Forwarded: for=203.0.113.9;proto=https", "X-Forwarded-User: admin", "X-Forwarded-Email: a@b",
            "X-Forwarded-Client-Cert: x",
            "X-Forwarded-Server: x", "X-Forwarded-Access-Token: x", "X-Forwarded-Scheme: https", "X-Forwarded-F: x",
        ])
    func others(_ line: String) throws {
        #expect(try Self.forwarded([line]) == Self.own)
    }
}
