import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

/// When an issuer is the same after a reload, and what its tokens are held to.
@Suite struct TrustedIssuerTests {
    private static func configuration(
        _ introspection: String = "credentials: {bearer: k1}", url: String = "http://127.0.0.1:1/a", _ more: String = ""
    ) throws -> Configuration {
        try Snapshots.configuration(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers: {asked: {introspection: {url: "\(url)", \(introspection)}\(more.isEmpty ? "" : ", \(more)")}}
            routes: {GET /: public}
            redis: {url: "redis://127.0.0.1:1", seal: "\(RedisScene.seal)"}

            """, file: "no certificate")
    }

    private static func issuer(
        _ introspection: String = "credentials: {bearer: k1}", url: String = "http://127.0.0.1:1/a", _ more: String = ""
    ) throws -> TrustedIssuer {
        try TrustedIssuer(try Self.configuration(introspection, url: url, more).issuers[0])
    }

    // MARK: - Equality

    @Test func sameIssuerElsewhereInItsFileIsTheSame() throws {
        var other = try Self.configuration().issuers[0]
        other.mark = Mark(line: 99, column: 7)
        other.validationMark = Mark(line: 99, column: 9)
        #expect(try TrustedIssuer(other) == Self.issuer())
    }

    @Test(arguments: [
        ("another place", "credentials: {bearer: k1}", "http://127.0.0.1:1/b", ""),
        ("another secret", "credentials: {bearer: k2}", "http://127.0.0.1:1/a", ""),
        ("other credentials", "credentials: {basic: {id: a, secret: k1}}", "http://127.0.0.1:1/a", ""),
        ("another dialect", "credentials: {bearer: k1}, dialect: hecate", "http://127.0.0.1:1/a", ""),
        ("another timeout", "credentials: {bearer: k1}, timeout: 3s", "http://127.0.0.1:1/a", ""),
        ("another cache", "credentials: {bearer: k1}, cache: 3s", "http://127.0.0.1:1/a", ""),
        ("another negative cache", "credentials: {bearer: k1}, negative_cache: 3s", "http://127.0.0.1:1/a", ""),
        ("another grace", "credentials: {bearer: k1}, stale_if_error: 3s", "http://127.0.0.1:1/a", ""),
        ("an issuer claim", "credentials: {bearer: k1}", "http://127.0.0.1:1/a", "issuer: https://a.test"),
        ("an audience", "credentials: {bearer: k1}", "http://127.0.0.1:1/a", "audiences: [api]"),
        ("another leeway", "credentials: {bearer: k1}", "http://127.0.0.1:1/a", "leeway: 7s"),
        ("revocation", "credentials: {bearer: k1}", "http://127.0.0.1:1/a", "revocation: redis"),
        ("required revocation", "credentials: {bearer: k1}", "http://127.0.0.1:1/a", "revocation: required"),
    ])
    func anythingElseIsAnother(row: (String, String, String, String)) throws {
        let other = try Self.issuer(row.1, url: row.2, row.3)
        #expect(try other != Self.issuer(), "\(row.0)")
        #expect(other == other)
    }

    @Test func authoritiesThatAreNoneAreRefused() throws {
        #expect(throws: TrustedAuthorities.Problem.self) {
            try Self.issuer("credentials: {bearer: k1}, ca: ca.pem", url: "https://a.test")
        }
    }

    // MARK: - Candidates

    @Test func candidateSaysWhetherTheIssuerIsAsked() throws {
        #expect(try Self.issuer().candidate == .init(issuer: nil, isIntrospected: true))
        let named = try Self.issuer("credentials: {bearer: k1}", url: "http://127.0.0.1:1/a", "issuer: https://a.test")
        #expect(named.candidate == .init(issuer: "https://a.test", isIntrospected: true))
        #expect(named.fixedKeys == nil && named.client != nil)
    }

    // MARK: - Terms of a verdict that keys gave

    private static let principal = Principal(
        issuer: "local", user: "u1", client: "c1", tokenID: "t1", issuedAt: 100, expiresAt: 200)

    private static func local(_ revocation: String) throws -> TrustedIssuer {
        let configuration = try Snapshots.configuration(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers:
              local:
                issuer: https://a.test
                audiences: any
                keys: {secret: "\(RedisScene.seal)"}
                algorithms: HS256
                revocation: \(revocation)
            routes: {GET /: public}
            redis: {url: "redis://127.0.0.1:1", seal: "\(RedisScene.seal)"}

            """)
        return try TrustedIssuer(configuration.issuers[0])
    }

    @Test func withoutRevocationNothingEndsAVerdict() throws {
        let terms = try Self.local("\"off\"").terms(for: Self.principal, token: Array("token-1".utf8).span.bytes)
        #expect(terms == TokenTerms())
    }

    @Test(arguments: [("redis", false), ("required", true)])
    func withRevocationTheVerdictSaysByWhatItEnds(row: (word: String, isRequired: Bool)) throws {
        let issuer = try Self.local(row.word)
        #expect(issuer.heedsRevocations)
        let terms = issuer.terms(for: Self.principal, token: Array("token-1".utf8).span.bytes)
        let facts = RevocationFacts(
            tokenID: "t1", subjects: ["u1"], clients: ["c1"], issuedAt: 100, digest: RedisScene.digest("token-1"))
        #expect(terms == TokenTerms(revocation: facts, needsRevocations: row.isRequired))
    }
}
