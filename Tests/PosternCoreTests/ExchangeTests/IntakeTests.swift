import Testing

@testable import PosternCore

@Suite struct IntakeTests {
    private static let token = "abc.DEF-123"

    /// A desk whose cache knows one caller.
    private static func desk(_ gate: Gate) -> IntakeDesk {
        var desk = IntakeDesk()
        desk.warm(gate, callers: [Self.token: IntakePolicy.principal("u1", scopes: ["read"])])
        return desk
    }

    private static func get(_ path: String, _ fields: String...) -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    // MARK: - Verdicts

    @Test(
        "what a request comes to; one token is cached",
        arguments: [
            Row(get("/public"), "permit 0 nobody", "a public route needs no token"),
            Row(get("/public", "Authorization: Bearer \(token)"), "permit 0 nobody", "and looks at none"),
            Row(get("/public", "Authorization: Bearer ,"), "permit 0 nobody", "not even at a malformed one"),
            Row(get("/denied/x", "Authorization: Bearer \(token)"), "route_denied nobody", "a closed route"),
            Row(get("/optional"), "permit 2 nobody", "anonymous where that is allowed"),
            Row(get("/optional", "Authorization: Bearer \(token)"), "permit 2 u1", "a cached token where one may come"),
            Row(get("/optional", "Authorization: Bearer other"), "verify", "an unknown one is verified there, too"),
            Row(get("/any"), "missing_token nobody", "no token"),
            Row(get("/any", "Authorization: Bearer \(token)"), "permit 3 u1", "a cached token"),
            Row(get("/any", "authorization:BEARER   \(token)\t "), "permit 3 u1", "spelled otherwise"),
            Row(get("/any", "Authorization: Bearer other"), "verify", "an unknown token"),
            Row(get("/any", "Authorization: Bearer \(token)="), "verify", "the cached token and a byte"),
            Row(get("/any", "Authorization: Bearer abc.DEF-12"), "verify", "the cached token less a byte"),
            Row(get("/any", "Authorization: Bearer Abc.DEF-123"), "verify", "case matters in tokens"),
            Row(get("/any", "Authorization: Basic \(token)"), "missing_token nobody", "another scheme"),
            Row(get("/scoped", "Authorization: Bearer \(token)"), "permit 4 u1", "a scope that the token has"),
            Row(get("/own/u1", "Authorization: Bearer \(token)"), "permit 5 u1", "a path that the claim names"),
            Row(get("/own/%75%31", "Authorization: Bearer \(token)"), "permit 5 u1", "the same, escaped"),
            Row(get("/own/u2", "Authorization: Bearer \(token)"), "access_denied u1", "another's path"),
            Row(get("/boss", "Authorization: Bearer \(token)"), "access_denied u1", "a role that the token lacks"),
            Row(get("/issuer", "Authorization: Bearer \(token)"), "access_denied u1", "another issuer's route"),
            Row(get("/any", "Authorization: Bearer a b"), "invalid_request nobody", "two words"),
            Row(get("/any", "Authorization: Bearer \(token) x"), "invalid_request nobody", "a cached token and a word"),
            Row(get("/any", "Authorization: Bearer \(token),"), "invalid_request nobody", "a cached token and a comma"),
            Row(get("/any", "Authorization: Bearer"), "invalid_request nobody", "no token after the scheme"),
            Row(get("/any", "Authorization: Bearer ="), "invalid_request nobody", "padding alone"),
            Row(get("/any", "Authorization: Bearer a=b"), "invalid_request nobody", "padding inside"),
            Row(get("/any", "Authorization: Bearer caf\u{E9}"), "invalid_request nobody", "a byte over 0x7F"),
            Row(
                get("/any", "Authorization: Bearer \(String(repeating: "k", count: 401))"), "invalid_request nobody",
                "a token over the limit"),
            Row(
                get("/any", "Authorization: Bearer \(String(repeating: "k", count: 400))"), "verify", "one at the limit"
            ),
            Row(
                get("/any", "Authorization: Bearer \(token)", "Authorization: Bearer \(token)"),
                "invalid_request nobody", "a cached token twice"),
            Row(
                get("/any?access_token=x", "Authorization: Bearer \(token)"), "invalid_request nobody",
                "a cached token and one in the query"),
            Row(
                get("/any?acces%73_token", "Authorization: Bearer other"), "invalid_request nobody",
                "an unknown one and one in the query"),
            Row(
                get("/any?access_token=x", "Authorization: Bearer a,b"), "invalid_request nobody",
                "a malformed one and one in the query"),
            Row(get("/any?access_token=\(token)"), "missing_token nobody", "a cached token in the query alone"),
            Row(get("/nowhere", "Authorization: Bearer \(token)"), "route_not_declared nobody", "an undeclared path"),
            Row(get("//any", "Authorization: Bearer \(token)"), "ambiguous_path nobody", "an ambiguous path"),
            Row(get("http://b/any", "Authorization: Bearer \(token)"), "bad_request nobody", "two hosts"),
        ] as [Row<String>])
    func verdicts(_ row: Row<String>) throws {
        let gate = try IntakePolicy.gate()
        var desk = Self.desk(gate)
        let judgement = desk.take(row.bytes, gate: gate)
        #expect(judgement.words == row.expected)
        #expect(desk.intake.cachedTokens == 1, "a token comes into the cache by `accept` alone")
        var reference = IntakeReference()
        let expected = reference.take(row.bytes, gate: gate) {
            $0 == Self.token ? IntakePolicy.principal("u1", scopes: ["read"]) : nil
        }
        #expect(judgement.agrees(with: expected), "\(judgement), not \(expected)")
    }

    @Test("what is to be verified is exactly the token")
    func range() throws {
        var desk = IntakeDesk()
        let head = IntakePolicy.head("GET /any", "Authorization:  Bearer   some.token== ")
        guard case .verify(let range) = desk.take(head, gate: try IntakePolicy.gate()).verdict else {
            Issue.record("not to be verified")
            return
        }
        #expect(String(decoding: head[range.range], as: UTF8.self) == "some.token==")
    }

    @Test(
        "heads that are none",
        arguments: [
            Row("GET / HTTP/1.1\r\n\r\n", .malformed(.missingHost), "what the lines say"),
            Row("GET / HTTP/1.1\nHost: a\r\n\r\n", .malformed(.controlCharacter), "their shape"),
            Row("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .versionNotSupported, "the version"),
            Row("GET /\(String(repeating: "x", count: 200)) HTTP/1.1\r\nHost: a\r\n\r\n", .targetTooLong, "the target"),
            Row("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\n\r\n", .headTooLarge, "the number of fields"),
            Row(
                "GET / HTTP/1.1\r\nHost: a\r\nA: \(String(repeating: "x", count: 500))\r\n\r\n", .headTooLarge,
                "the number of bytes"),
        ] as [Row<HTTPProblem>])
    func problems(_ row: Row<HTTPProblem>) throws {
        let limits = HeadLimits(head: 400, target: 100, fields: 3)
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        #expect(desk.take(row.bytes, gate: gate, limits: limits).verdict == .problem(row.expected))
        for cuts in everyCut(row.bytes) {
            #expect(desk.take(row.bytes, cuts: cuts, gate: gate, limits: limits).verdict == .problem(row.expected))
        }
        #expect(desk.take(Array(Self.get("/public").utf8), gate: gate).words == "permit 0 nobody", "no harm is left")
    }

    // MARK: - Heads in pieces

    /// With ids that are kept: made ones are others after a request in between.
    private static let whole: [[UInt8]] = [
        get("/public", keptIDs[0], keptIDs[1]),
        "\r\n" + get("/any", "Authorization: Bearer \(token)", "X-User-Id: x", keptIDs[0], keptIDs[1]),
        get("/any", keptIDs[0], "Authorization: Bearer unknown.token", keptIDs[1]),
        get("/scoped?a=b", keptIDs[1], keptIDs[0], "Authorization: Bearer a,b"),
        "POST /any HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nTransfer-Encoding: chunked\r\n"
            + "\(keptIDs[0])\r\n\(keptIDs[1])\r\n\r\n",
        get("/own/u2", "Authorization: Bearer \(token)", "Connection: close", keptIDs[0], keptIDs[1]),
    ].map { Array($0.utf8) }

    @Test(
        "a head cut anywhere comes to what it comes to whole, whatever other connections take in between",
        arguments: whole)
    func everyCutOfAHead(_ bytes: [UInt8]) throws {
        let gate = try IntakePolicy.gate()
        var desk = Self.desk(gate)
        let judgement = desk.take(bytes, gate: gate)
        #expect(judgement.facts.end == bytes.count)
        let other = IntakePolicy.head("GET /optional", "Cookie: a=b", "X-Auth-A: 1", "A:", "B:", "C:", "D:", "E:")
        for cuts in everyCut(bytes) {
            #expect(desk.take(bytes, cuts: cuts, gate: gate) == judgement, "\(cuts)")
            var asked = 0
            let interrupted = desk.take(bytes, cuts: cuts, gate: gate) { intake in
                asked += 1
                _ = intake.take(other.span.bytes, resumed: nil, gate: gate, limits: HeadLimits(), now: 0)
            }
            #expect(interrupted == judgement && asked == cuts.count, "\(cuts)")
        }
    }

    @Test("what stands behind a head says nothing about it")
    func pipelined() throws {
        let gate = try IntakePolicy.gate()
        for bytes in Self.whole {
            for rest in Self.whole + [
                [0, 0xFF], Array("\r\n\r\n".utf8), Array("Authorization: Bearer x\r\n\r\n".utf8),
            ] {
                var (one, two) = (Self.desk(gate), Self.desk(gate))
                #expect(one.take(bytes + rest, gate: gate) == two.take(bytes, gate: gate))
            }
        }
    }
}
