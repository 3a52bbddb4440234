import Testing

@testable import PosternCore

/// What of a request outlives its judgement: facts, ids, the upstream's head.
@Suite struct IntakeComposeTests {
    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("the facts are those of the head")
    func facts() throws {
        let gate = try IntakePolicy.gate()
        let text =
            "POST http://a/any?x HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n"
            + "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n"
        var desk = IntakeDesk()
        var facts = desk.take(Array(text.utf8) + [1, 2, 3], gate: gate).facts
        #expect(facts.method == .post && facts.minorVersion == 1 && !facts.keepAlive)
        #expect(facts.expectsContinue && facts.upgrade)
        #expect(facts.framing == .length(12))
        #expect(facts.end == text.utf8.count)
        #expect(facts.methodToken == ByteRange(0, 4))
        #expect(facts.target == ByteRange(5, 19))
        // Nothing of one request is left in the next.
        facts = desk.take(Array("BREW /x HTTP/1.0\r\nHost: a\r\n\r\n".utf8), gate: gate).facts
        var plain = Intake.Facts()
        plain.minorVersion = 0
        plain.end = 29
        plain.methodToken = ByteRange(0, 4)
        plain.target = ByteRange(5, 7)
        #expect(facts == plain)
    }

    @Test("acceptable ids are the client's own, others are made, each another")
    func identifiers() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        let kept = desk.take(IntakePolicy.head("GET /public", keptIDs[0], keptIDs[1]), gate: gate)
        #expect(Self.text(kept.requestID) == "r.1-A_b")
        #expect(Self.text(kept.traceID) == "0af7651916cd43dd8448eb211c80319c")
        var made: Set<[UInt8]> = []
        for field in ["X: y", "X-Request-Id: no!", "X-Request-Id:", "traceparent: 00-0", "Connection: x-request-id"] {
            let judgement = desk.take(IntakePolicy.head("GET /any", field), gate: gate)
            #expect(judgement.requestID.count == 32 && judgement.requestID.allSatisfy { isHexDigit($0) })
            #expect(judgement.traceID == judgement.requestID)
            #expect(desk.intake.requestID == judgement.requestID)
            made.insert(judgement.requestID)
        }
        for _ in 0..<5 {
            let id = desk.intake.makeRequestID()
            #expect(id.count == 32 && id == desk.intake.requestID && desk.intake.traceID.isEmpty)
            made.insert(id)
        }
        #expect(made.count == 10)
    }

    @Test("the upstream's head has the verified identity and none that the client sent")
    func composed() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        desk.warm(gate, callers: ["t": IntakePolicy.principal("u1", scopes: ["read"])])
        let identity = "X-User-Id: u1\r\nX-User-Scopes: read\r\nX-Auth-Issuer: permiso\r\n"
        let rest =
            "X-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n"
        let kept = keptIDs.map { $0 + "\r\n" }.joined()
        let scoped = desk.take(
            IntakePolicy.head(
                "GET /scoped?q", "X-User-Id: admin", "Authorization: Bearer t", "A: b", keptIDs[0], keptIDs[1]),
            gate: gate)
        #expect(scoped.spoofed)
        #expect(
            Self.text(scoped.upstream) == "GET /scoped?q HTTP/1.1\r\nHost: a\r\nA: b\r\n\(kept)\(identity)\(rest)")
        // This route forwards the token.
        let any = desk.take(
            IntakePolicy.head("GET /any", "Authorization: Bearer t", keptIDs[0], keptIDs[1]), gate: gate)
        #expect(!any.spoofed)
        #expect(
            Self.text(any.upstream)
                == "GET /any HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\(kept)\(identity)\(rest)")
        // Anonymous: nothing of the caller before.
        let anonymous = desk.take(IntakePolicy.head("GET /optional", keptIDs[0], keptIDs[1]), gate: gate)
        #expect(Self.text(anonymous.upstream) == "GET /optional HTTP/1.1\r\nHost: a\r\n\(kept)\(rest)")
    }

    @Test("composing appends, also for a token that was just verified")
    func appended() throws {
        let gate = try IntakePolicy.gate()
        let head = IntakePolicy.head("/any", token: "a")
        var (cold, warm) = (IntakeDesk(), IntakeDesk())
        warm.warm(gate)
        let first = cold.takeVerifying(head, gate: gate)
        #expect(first.words == "permit 3 u1")
        #expect(first == warm.take(head, gate: gate))
        #expect(cold.intake.cachedTokens == 1)
        let outcome = cold.intake.take(head.span.bytes, resumed: nil, gate: gate, limits: HeadLimits(), now: 0)
        guard case .judged(_, _, .permit(let permit, let token)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        var output = Array("before".utf8)
        _ = cold.intake.compose(
            head.span.bytes, permit: permit, token: token, gate: gate, forwardToken: false, client: intakeClient,
            into: &output)
        #expect(Self.text(output).hasPrefix("beforeGET /any HTTP/1.1\r\nHost: a\r\nX-User-Id: u1\r\n"))
    }

    @Test("identity in a refused request is seen")
    func spoofs() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        for path in ["/any", "/nowhere", "//"] {
            #expect(desk.take(IntakePolicy.head("GET \(path)", "x_user_roles: boss"), gate: gate).spoofed)
            #expect(!desk.take(IntakePolicy.head("GET \(path)", "X-Users: boss"), gate: gate).spoofed)
        }
    }
}
