import Testing

@testable import PosternCore

/// How long verdicts hold, and what ends them early.
@Suite struct IntakeTermsTests {
    private static let token = "opaque-0123456789"
    private static let head = IntakePolicy.head("/any", token: token)

    private func accept(
        _ desk: inout IntakeDesk, _ gate: Gate, _ terms: TokenTerms, expiresAt: Double = 1000, now: Double = 0
    ) -> Result<VerifiedToken, Refusal> {
        let principal = IntakePolicy.principal("u", expiresAt: expiresAt)
        let bytes = Array(Self.token.utf8)
        return desk.intake.accept(principal, token: bytes.span.bytes, terms: terms, gate: gate, now: now)
    }

    private func stale(_ desk: inout IntakeDesk, _ gate: Gate, now: Double) -> Result<VerifiedToken, Refusal>? {
        let bytes = Array(Self.token.utf8)
        return desk.intake.stale(bytes.span.bytes, gate: gate, now: now)
    }

    private func words(_ desk: inout IntakeDesk, _ gate: Gate, now: Double = 0) -> String {
        desk.take(Self.head, gate: gate, now: now).words
    }

    @Test("a verdict holds until it is not fresh any more, or the token is over, whichever comes first")
    func freshness() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        _ = self.accept(&desk, gate, TokenTerms(freshUntil: 30))
        #expect(self.words(&desk, gate, now: 29) == "permit 3 u")
        #expect(self.words(&desk, gate, now: 30) == "verify")
        _ = self.accept(&desk, gate, TokenTerms(freshUntil: 30), expiresAt: 10)
        #expect(self.words(&desk, gate, now: 9) == "permit 3 u")
        #expect(self.words(&desk, gate, now: 10) == "verify")
    }

    @Test("past its time a verdict serves only when asked for, and not beyond the token's own end")
    func staleness() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        #expect(self.stale(&desk, gate, now: 0) == nil)
        _ = self.accept(&desk, gate, TokenTerms(freshUntil: 30, staleUntil: 90))
        #expect(try self.stale(&desk, gate, now: 89)?.get().principal.user == "u")
        #expect(self.words(&desk, gate, now: 89) == "verify", "it does not become fresh by that")
        #expect(self.stale(&desk, gate, now: 90) == nil)
        _ = self.accept(&desk, gate, TokenTerms(freshUntil: 30, staleUntil: 90), expiresAt: 60)
        #expect(self.stale(&desk, gate, now: 60) == nil)
        _ = self.accept(&desk, gate, TokenTerms(freshUntil: 30))
        #expect(self.stale(&desk, gate, now: 40) != nil, "without a limit of its own it is the token's")
        let other = try IntakePolicy.gate(generation: 7)
        #expect(try self.stale(&desk, other, now: 40)?.get().generation == 7)
    }

    @Test(
        "a revocation counts for tokens in the cache and for new ones",
        arguments: [
            Revocation.Subject.tokenID("t-1"), .subject("u", before: 50), .client("c", before: 50),
        ] + [Self.digest].compactMap { $0 }.map { .token($0) })
    func revocations(_ subject: Revocation.Subject) throws {
        let gate = try IntakePolicy.gate()
        let facts = RevocationFacts(
            tokenID: "t-1", subjects: ["u"], clients: ["c"], issuedAt: 49, digest: Self.digest)
        let terms = TokenTerms(revocation: facts)
        var cached = IntakeDesk()
        _ = self.accept(&cached, gate, terms)
        cached.intake.withdraw { $0.insert(Revocation(.tokenID("another")), until: .infinity) }
        #expect(self.words(&cached, gate) == "permit 3 u")
        cached.intake.withdraw { $0.insert(Revocation(subject), until: .infinity) }
        #expect(self.words(&cached, gate) == "invalid_token u")
        #expect(self.words(&cached, gate) == "invalid_token u", "and again")
        #expect(cached.intake.revocations == 2)
        var new = IntakeDesk()
        new.intake.withdraw { $0.insert(Revocation(subject), until: .infinity) }
        #expect(self.accept(&new, gate, terms).refusal == Refusal(TokenProblem.revoked))
        #expect(self.words(&new, gate) == "invalid_token u", "it is known, and not verified again")
        #expect(try self.accept(&new, gate, TokenTerms()).get().principal.user == "u", "of an issuer without")
    }

    @Test("a loaded set takes the place of the one before, in both directions")
    func loadedSet() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        _ = self.accept(&desk, gate, TokenTerms(revocation: RevocationFacts(tokenID: "t-1")))
        desk.intake.withdraw { $0.insert(Revocation(.tokenID("t-1")), until: 100) }
        #expect(self.words(&desk, gate) == "invalid_token u")
        desk.intake.withdraw { $0.replace(with: RevocationSet()) }
        #expect(self.words(&desk, gate) == "permit 3 u")
        var set = RevocationSet()
        set.insert(Revocation(.tokenID("t-1")), until: 100)
        desk.intake.withdraw { $0.replace(with: set) }
        #expect(self.words(&desk, gate) == "invalid_token u")
    }

    @Test("where revocations are required, nothing passes while they are not known")
    func required() throws {
        let gate = try IntakePolicy.gate()
        let terms = TokenTerms(revocation: RevocationFacts(tokenID: "t-1"), needsRevocations: true)
        var desk = IntakeDesk()
        #expect(self.accept(&desk, gate, terms).refusal == .revocationsUnknown)
        #expect(self.words(&desk, gate) == "issuer_unavailable u")
        desk.intake.withdraw { $0.setKnown(true) }
        #expect(self.words(&desk, gate) == "permit 3 u")
        desk.intake.withdraw { $0.setKnown(false) }
        #expect(self.words(&desk, gate) == "issuer_unavailable u")
        #expect(self.stale(&desk, gate, now: 1)?.refusal == .revocationsUnknown)
        // What is known to be revoked is, whatever else is not known.
        desk.intake.withdraw { $0.insert(Revocation(.tokenID("t-1")), until: .infinity) }
        #expect(self.words(&desk, gate) == "invalid_token u")
    }

    @Test("a rejected token is not asked about again for a while, and takes no place of a verified one")
    func rejections() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        _ = self.accept(&desk, gate, TokenTerms())
        for number in 0..<5000 {
            let bytes = Array("random-\(number)".utf8)
            desk.intake.reject(.inactive, token: bytes.span.bytes, until: 5, now: 0)
        }
        #expect(desk.intake.rejectedTokens <= 1024)
        #expect(self.words(&desk, gate) == "permit 3 u")
        let last = IntakePolicy.head("/any", token: "random-4999")
        #expect(desk.take(last, gate: gate, now: 4).words == "rejected inactive")
        #expect(desk.take(last, gate: gate, now: 5).words == "verify")
        desk.intake.forgetTokens()
        #expect(desk.take(last, gate: gate, now: 4).words == "verify")
    }

    @Test("a no of the issuer ends an earlier yes, however long the no itself is remembered", arguments: [40.0, 90])
    func rejectionEndsVerdict(until: Double) throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        let bytes = Array(Self.token.utf8)
        _ = self.accept(&desk, gate, TokenTerms(freshUntil: 30, staleUntil: 900))
        desk.intake.reject(.inactive, token: bytes.span.bytes, until: until, now: 40)
        #expect(desk.intake.cachedTokens == 0)
        #expect(desk.intake.rejectedTokens == (until > 40 ? 1 : 0))
        #expect(self.stale(&desk, gate, now: 41) == nil)
        #expect(self.stale(&desk, gate, now: 100) == nil, "nor when the no is forgotten")
        #expect(self.words(&desk, gate, now: 100) == "verify")
    }

    @Test("a no of one issuer ends its own earlier yes, and not that of another")
    func denial() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        let bytes = Array(Self.token.utf8)
        desk.intake.deny(bytes.span.bytes, by: ["permiso"])
        let terms = TokenTerms(freshUntil: 30, staleUntil: 900)
        let issuer = try self.accept(&desk, gate, terms).get().principal.issuer
        desk.intake.deny(bytes.span.bytes, by: [])
        desk.intake.deny(bytes.span.bytes, by: ["not " + issuer])
        #expect(self.stale(&desk, gate, now: 40) != nil)
        desk.intake.deny(bytes.span.bytes, by: ["not " + issuer, issuer])
        #expect(self.stale(&desk, gate, now: 40) == nil)
    }

    @Test("a set that somebody else made counts, even if it was changed as often as the one before")
    func foreignSet() throws {
        let gate = try IntakePolicy.gate()
        var desk = IntakeDesk()
        _ = self.accept(&desk, gate, TokenTerms(revocation: RevocationFacts(tokenID: "t-1")))
        for (name, words) in [("another", "permit 3 u"), ("t-1", "invalid_token u")] {
            var set = RevocationSet()
            set.insert(Revocation(.tokenID(name)), until: 100)
            desk.intake.withdraw { $0.replace(with: set) }
            #expect(self.words(&desk, gate) == words)
        }
    }

    private static let digest = TokenDigest(bytes: [UInt8](repeating: 7, count: TokenDigest.length))
}

extension Result where Failure == Refusal {
    /// The refusal, if it is one.
    fileprivate var refusal: Refusal? {
        if case .failure(let refusal) = self { refusal } else { nil }
    }
}
