import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

/// What becomes of what an issuer said.
@Suite(.timeLimit(.minutes(1))) struct IntrospectionVerdictTests {
    private static let token = Array("token-1".utf8)
    private static let digest = RedisScene.digest("token-1")

    private static func issuer(_ more: String = "") throws -> TrustedIssuer {
        try Snapshots.make(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers:
              asked:
                introspection:
                  url: http://127.0.0.1:1
                  credentials: {bearer: k}
                  cache: 30s
                  negative_cache: 5s
                  stale_if_error: 60s
                issuer: https://a.test
                leeway: 0s
                \(more)
            routes: {GET /: public}
            redis: {url: "redis://127.0.0.1:1", seal: "\(RedisScene.seal)"}

            """
        ).issuers[0]
    }

    private static func verdict(
        _ issuer: TrustedIssuer, _ claims: String = #"{"active":true,"sub":"u1","jti":"t1","iat":900}"#,
        fetchedAt: Double = 1000, now: Double = 1010
    ) throws -> IntrospectionVerdict {
        issuer.verdict(
            on: try JSONReader.parse(Array(claims.utf8).span.bytes), fetchedAt: fetchedAt, source: .redis,
            token: Self.token, now: now)
    }

    @Test func answerHoldsFromWhenItWasGiven() throws {
        let issuer = try Self.issuer()
        let accepted = try #require(try Self.verdict(issuer).accepted)
        #expect(accepted.issuer == issuer)
        #expect(accepted.source == .redis)
        #expect(accepted.principal.user == "u1")
        #expect(accepted.principal.issuer == "asked")
        var terms = TokenTerms(freshUntil: 1030, staleUntil: 1090)
        terms.weight = #"{"active":true,"sub":"u1","jti":"t1","iat":900}"#.utf8.count
        #expect(accepted.terms == terms)
    }

    @Test(arguments: [("redis", false), ("required", true)])
    func revocationsEndItWhereTheyCount(row: (word: String, isRequired: Bool)) throws {
        let issuer = try Self.issuer("revocation: \(row.word)")
        let terms = try #require(try Self.verdict(issuer).accepted).terms
        let facts = RevocationFacts(tokenID: "t1", subjects: ["u1"], issuedAt: 900, digest: Self.digest)
        #expect(terms.revocation == facts)
        #expect(terms.needsRevocations == row.isRequired)
        #expect(terms.staleUntil == 1090)
    }

    @Test(arguments: [
        (#"{"active":true,"exp":1005}"#, TokenProblem.expired), (#"{"active":true,"nbf":1015}"#, .notYetValid),
        (#"{"active":true,"iss":"https://b.test"}"#, .unknownIssuer),
        (#"{"active":true,"token_type":"refresh_token"}"#, .wrongType),
        (#"{"active":true,"cnf":{"jkt":"x"}}"#, .senderConstrained),
    ])
    func answerIsHeldToTheRules(row: (String, TokenProblem)) throws {
        guard case .rejected(let problem, let until, .redis) = try Self.verdict(Self.issuer(), row.0) else {
            Issue.record("it was accepted")
            return
        }
        #expect(problem == row.1)
        #expect(until == 1015, "for the time of a negative answer, from now")
    }

    @Test func issuerWithKeysIsNotAsked() throws {
        let snapshot = try Snapshots.make(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers:
              local: {issuer: "https://a.test", audiences: any, keys: {secret: "\(RedisScene.seal)"}, algorithms: HS256}
            routes: {GET /: public}

            """)
        #expect(try Self.verdict(snapshot.issuers[0]).isUnavailable)
    }

    // MARK: - Learning

    @Test func verdictIsLearnedWhereTheSameWouldBeAskedAndItsTimeIsNotOver() async throws {
        let rig = try await LoopRig()
        let issuer = try Self.issuer()
        let kept = try await rig.on(0) { loop in
            let now = SystemClock.unixTime
            func learn(_ verdict: IntrospectionVerdict, _ token: String, asked: [TrustedIssuer]) -> Int {
                loop.learn(IntrospectionFinding(verdict, asked: asked), Array(token.utf8))
                return loop.currentMetrics().rejectedTokens
            }
            // Nobody is asked about any token here.
            return learn(.rejected(.inactive, until: now + 60, source: .issuer), "token-1", asked: [issuer])
        }
        #expect(kept == 0)
        try await rig.stop()
        let scene = try await IntrospectionScene()
        let asked = scene.issuers
        let counts = try await scene.rig.on(0) { loop in
            let now = SystemClock.unixTime
            func learn(_ verdict: IntrospectionVerdict, _ token: String, asked: [TrustedIssuer]) -> Int {
                loop.learn(IntrospectionFinding(verdict, asked: asked), Array(token.utf8))
                return loop.currentMetrics().rejectedTokens
            }
            return [
                learn(.rejected(.inactive, until: now + 60, source: .issuer), "token-1", asked: asked),
                learn(.rejected(.inactive, until: now - 1, source: .issuer), "token-2", asked: asked),
                learn(.unavailable(deniedBy: []), "token-3", asked: asked),
                learn(.rejected(.inactive, until: now + 60, source: .issuer), "token-4", asked: [issuer]),
            ]
        }
        #expect(counts == [1, 1, 1, 1])
    }
}
