import Testing

@testable import PosternCore

@Suite struct IntakeCacheTests {
    private static let token = "eyJhbGciOiJFUzI1NiJ9.e30." + String(repeating: "s1G-_", count: 20)

    private func accept(
        _ desk: inout IntakeDesk, _ principal: Principal, _ gate: Gate, token: String = Self.token, now: Double = 0
    ) -> Result<VerifiedToken, Refusal> {
        let bytes = Array(token.utf8)
        return desk.intake.accept(principal, token: bytes.span.bytes, gate: gate, now: now)
    }

    /// The token with which a request is permitted or refused, itself and no copy.
    private func taken(_ desk: inout IntakeDesk, _ head: [UInt8], _ gate: Gate, now: Double = 0) -> VerifiedToken? {
        let outcome = desk.intake.take(head.span.bytes, resumed: nil, gate: gate, limits: HeadLimits(), now: now)
        guard case .judged(_, _, let verdict) = outcome else { return nil }
        switch verdict {
        case .permit(_, let token), .refuse(_, let token): return token
        case .verify, .rejected, .answer: return nil
        }
    }

    @Test("an accepted token is the one of the next request, also where the route's rules refuse it")
    func acceptedTokenIsTaken() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        #expect(desk.take(IntakePolicy.head("/any", token: Self.token), gate: gate).words == "verify")
        #expect(desk.intake.cachedTokens == 0)
        let verified = try self.accept(&desk, IntakePolicy.principal("u"), gate).get()
        #expect(desk.intake.cachedTokens == 1)
        #expect(self.taken(&desk, IntakePolicy.head("/any", token: Self.token), gate) === verified)
        #expect(self.taken(&desk, IntakePolicy.head("/scoped", token: Self.token), gate) === verified)
        let refused = desk.take(IntakePolicy.head("/scoped", token: Self.token), gate: gate)
        #expect(refused.words == "insufficient_scope u")
        #expect(refused.route == 4)
        guard case .refuse(let refusal, _) = refused.verdict else { return }
        #expect(refusal.required == Requirement(scopes: ["read"]))
        // Public and denied routes look at no token.
        #expect(desk.take(IntakePolicy.head("/public", token: Self.token), gate: gate).words == "permit 0 nobody")
        #expect(desk.take(IntakePolicy.head("/denied/x", token: Self.token), gate: gate).words == "route_denied nobody")
    }

    @Test("a cached verdict counts until its time and not at it")
    func expiry() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        _ = self.accept(&desk, IntakePolicy.principal("u", expiresAt: 100), gate, now: 99)
        let head = IntakePolicy.head("/any", token: Self.token)
        #expect(desk.take(head, gate: gate, now: 99.9).words == "permit 3 u")
        #expect(desk.take(head, gate: gate, now: 100).words == "verify")
        #expect(desk.take(head, gate: gate, now: 1_000).words == "verify")
        #expect(desk.take(IntakePolicy.head("/optional", token: Self.token), gate: gate, now: 100).words == "verify")
        _ = self.accept(&desk, IntakePolicy.principal("u", expiresAt: 300), gate, now: 200)
        #expect(desk.take(head, gate: gate, now: 200).words == "permit 3 u", "the later verdict replaces it")
        #expect(desk.intake.cachedTokens == 1)
    }

    @Test("what is over already, or cannot be told to the service, is not kept")
    func notKept() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        let over = self.accept(&desk, IntakePolicy.principal("u", expiresAt: 100), gate, now: 100)
        #expect(try over.get().principal.user == "u")
        guard case .failure(let refusal) = self.accept(&desk, IntakePolicy.principal("u\n"), gate) else {
            Issue.record("a control character passed")
            return
        }
        #expect(refusal.code == .invalidToken)
        #expect(desk.intake.cachedTokens == 0)
        #expect(desk.take(IntakePolicy.head("/any", token: Self.token), gate: gate, now: 100).words == "verify")
    }

    @Test("under a new policy a cached token gets the new standing and the new identity, once")
    func newPolicy() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        let principal = IntakePolicy.principal("u", scopes: ["write"])
        let old = try self.accept(&desk, principal, gate).get()
        let scoped = IntakePolicy.head("/scoped", token: Self.token)
        #expect(desk.take(scoped, gate: gate).words == "insufficient_scope u")
        let next = try IntakePolicy.gate(
            IntakePolicy.reloaded, generation: 2, identity: [IdentityHeader(name: "X-Who", source: .user)])
        let permitted = desk.take(scoped, gate: next)
        #expect(permitted.words == "permit 2 u")
        #expect(String(decoding: permitted.upstream, as: UTF8.self).contains("\r\nX-Who: u\r\nX-Forwarded-For: "))
        let renewed = try #require(self.taken(&desk, scoped, next))
        #expect(renewed !== old && renewed.generation == 2 && renewed.expiresAt == old.expiresAt)
        #expect(next.policy.isCurrent(renewed.standing) && !next.policy.isCurrent(old.standing))
        #expect(self.taken(&desk, scoped, next) === renewed, "made ready once")
        #expect(desk.intake.cachedTokens == 1)
        #expect(desk.take(scoped, gate: next, now: 1_000).words == "verify", "its time is the same")
    }

    @Test("a cached token that the new policy cannot pass on is to be verified again")
    func newPolicyThatCannotTell() throws {
        var desk = IntakeDesk()
        let gate = try IntakePolicy.gate(identity: [])
        _ = try self.accept(&desk, IntakePolicy.principal("u\n"), gate).get()
        let head = IntakePolicy.head("/any", token: Self.token)
        #expect(desk.take(head, gate: gate).words == "permit 3 u\n")
        #expect(desk.take(head, gate: try IntakePolicy.gate(generation: 2)).words == "verify")
    }

    @Test("forgotten tokens are verified again, the others are not")
    func forgetting() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        for number in 0..<20 {
            let principal = IntakePolicy.principal("u\(number)", issuer: number % 2 == 0 ? "permiso" : "other")
            _ = self.accept(&desk, principal, gate, token: "token\(number)")
        }
        #expect(desk.intake.cachedTokens == 20)
        desk.intake.forgetTokens { $0.principal.issuer == "other" }
        #expect(desk.intake.cachedTokens == 10)
        for number in 0..<20 {
            let words = desk.take(IntakePolicy.head("/any", token: "token\(number)"), gate: gate).words
            #expect(words == (number % 2 == 0 ? "permit 3 u\(number)" : "verify"))
        }
        desk.intake.forgetTokens()
        #expect(desk.intake.cachedTokens == 0)
        #expect(desk.take(IntakePolicy.head("/any", token: "token0"), gate: gate).words == "verify")
    }

    @Test("no other token is taken for a cached one: one byte changed, added or missing at every place")
    func everyByteCounts() throws {
        let gate = try IntakePolicy.gate()
        for count in [1, 7, 8, 31, 63, 64, 65, 72, 127, 128, 129, 300] {
            let token = Array(String(Self.token + Self.token + Self.token).utf8.prefix(count))
            let user = "u\(count)"
            var desk = IntakeDesk()
            _ = self.accept(
                &desk, IntakePolicy.principal(user), gate, token: String(decoding: token, as: UTF8.self))
            for place in 0..<count {
                let letter = token[place] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")
                for other in [
                    token[..<place] + [letter] + token[(place + 1)...], token[..<place] + [letter] + token[place...],
                    token[..<place] + token[(place + 1)...],
                ] where !other.isEmpty {
                    let head = IntakePolicy.head("/any", token: String(decoding: other, as: UTF8.self))
                    let words = desk.take(head, gate: gate).words
                    guard words == "verify" else {
                        Issue.record("\(words) with byte \(place) of \(count) changed")
                        return
                    }
                }
            }
            let head = IntakePolicy.head("/any", token: String(decoding: token, as: UTF8.self))
            #expect(desk.take(head, gate: gate).words == "permit 3 \(user)")
        }
    }
}
