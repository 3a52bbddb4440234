import Testing

@testable import PosternCore

/// What the written values of introspection, Redis and revocation become.
@Suite struct SharedStateValueTests {
    private static let second: Int64 = 1_000_000_000
    private static let pem = Configuration.FileContent(
        path: "public.pem", bytes: Array(World.files["public.pem", default: ""].utf8))

    private func issuer(_ text: String) throws -> Configuration.Issuer {
        let configuration = try World.configuration(
            "{upstream: unix:/s, issuers: {i: {\(text)}}, redis: {url: \"redis://h\", seal: \"${SECRET}\"}}")
        return try #require(configuration.issuers.first)
    }

    private func redis(_ text: String) throws -> Configuration.Redis {
        try #require(try World.configuration("{upstream: unix:/s, redis: {\(text)}}").redis)
    }

    @Test func introspectionHasTheDocumentedDefaults() throws {
        let issuer = try self.issuer("introspection: {url: \"https://i/?a=b\", credentials: {bearer: x}}")
        #expect(
            issuer.validation
                == .introspection(
                    Configuration.Introspection(
                        url: "https://i/?a=b", dialect: .rfc7662, credentials: .bearer(Secret("x")),
                        timeout: 2 * Self.second, cache: 30 * Self.second, negativeCache: 5 * Self.second,
                        staleIfError: 0, ca: nil)))
        #expect(issuer.revocation == .off)
        #expect(issuer.keys == nil)
        // Any token, any audience; and nothing that local validation could accept.
        #expect(
            issuer.rules == IssuerRules(name: "i", issuer: nil, audiences: nil, algorithms: [], tokenTypes: []))
    }

    @Test func introspectionIsReadInFull() throws {
        let issuer = try self.issuer(
            "issuer: x, audiences: [a, b], leeway: 1s, revocation: required, admin: is_admin, introspection: {"
                + "url: \"https://i/\", dialect: hecate, credentials: {basic: {id: \"a b\", secret: {file: secret}}}, "
                + "timeout: 3s, cache: 0s, negative_cache: 1ms, stale_if_error: 1h, ca: public.pem}")
        #expect(
            issuer.introspection
                == Configuration.Introspection(
                    url: "https://i/", dialect: .hecate, credentials: .basic(id: "a b", Secret(World.secret)),
                    timeout: 3 * Self.second, cache: 0, negativeCache: 1_000_000, staleIfError: 3600 * Self.second,
                    ca: Self.pem))
        #expect(issuer.revocation == .required)
        #expect(issuer.rules.issuer == "x")
        #expect(issuer.rules.audiences == ["a", "b"])
        #expect(issuer.rules.leeway == 1)
        #expect(issuer.rules.claims.admin == .name("is_admin"))
    }

    @Test func credentialsInTheFormAreRead() throws {
        let issuer = try self.issuer("introspection: {url: \"https://i/\", credentials: {form: {id: a, secret: b}}}")
        #expect(issuer.introspection?.credentials == .form(id: "a", Secret("b")))
    }

    @Test func dialectDecidesWhatClaimsMeanWhereNothingIsWritten() throws {
        let ask = "introspection: {url: \"https://i/\", credentials: {bearer: x}, dialect: "
        let hecate = ClaimMap(
            scopes: [.name("permissions")], roles: [.name("roles")], user: [.name("user_id")], name: [.name("username")]
        )
        #expect(try self.issuer(ask + "rfc7662}").rules.claims == ClaimMap())
        #expect(try self.issuer(ask + "hecate}").rules.claims == hecate)
        var mixed = hecate
        mixed.user = [.name("sub")]
        #expect(try self.issuer(ask + "hecate}, claims: {user: sub}").rules.claims == mixed)
    }

    @Test(arguments: [("off", Configuration.Issuer.Revocation.off), ("redis", .redis), ("required", .required)])
    func revocationIsRead(word: String, revocation: Configuration.Issuer.Revocation) throws {
        let issuer = try self.issuer("issuer: x, audiences: any, keys: {file: jwk.json}, revocation: \(word)")
        #expect(issuer.revocation == revocation)
        #expect(issuer.introspection == nil)
    }

    @Test func marksAreThoseOfNameAndValidation() throws {
        let issuer = try self.issuer("introspection: {url: \"https://i/\", credentials: {bearer: x}}")
        #expect(issuer.mark == Mark(line: 1, column: 31))
        #expect(issuer.validationMark == Mark(line: 1, column: 50))
    }

    @Test func redisHasTheDocumentedDefaults() throws {
        let redis = try self.redis("url: \"redis://h\", seal: \"${SECRET}\"")
        #expect(
            redis
                == Configuration.Redis(
                    topology: .single(.init(host: "h", port: 6379)), usesTLS: false, ca: nil, user: nil, password: nil,
                    database: 0, timeout: 50_000_000, keyPrefix: "postern:", seals: [Secret(World.secret)],
                    mark: redis.mark))
        #expect(try World.configuration("{upstream: unix:/s}").redis == nil)
    }

    @Test func redisIsReadInFull() throws {
        let other = "0123456789abcdef0123456789abcdef"
        let redis = try self.redis(
            "url: \"rediss+sentinel://app@h,i:1/m/3\", password: \"${ODD}\", ca: public.pem, timeout: 1s, "
                + "key_prefix: \"p:\", seal: [\(other), {file: secret}]")
        #expect(
            redis
                == Configuration.Redis(
                    topology: .sentinel([.init(host: "h", port: 26_379), .init(host: "i", port: 1)], master: "m"),
                    usesTLS: true, ca: Self.pem, user: "app", password: Secret("a\"b\n"), database: 3,
                    timeout: Self.second, keyPrefix: "p:", seals: [Secret(other), Secret(World.secret)],
                    mark: redis.mark))
    }

    @Test func passwordOfTheURLIsTakenFromTheEnvironment() throws {
        let redis = try self.redis("url: \"redis://:${SECRET}@h\", seal: \"${SECRET}\"")
        #expect(redis.password == Secret(World.secret))
        #expect(redis.user == nil)
    }

    @Test(arguments: [
        "url: \"redis://:hun/ter2@h\"", "url: \"redis://:hunter2%@h\"", "url: \"redis://hunter2\"",
        "url: \"hunter2\"", "url: \"redis://h?hunter2\"", "url: \"redis+cluster://h/hunter2\"",
        "url: \"redis://h/hunter2\"", "url: \"redis://h,hunter2_\\\"\"", "url: \"redis://hunter2@h\"",
        "url: \"redis://u:hunter2@h\", password: hunter2", "url: \"redis://h\", seal: [hunter2]",
    ])
    func problemsRepeatNoSecret(text: String) {
        let problems = World.problems("{upstream: unix:/s, redis: {\(text)}}")
        #expect(!problems.isEmpty)
        #expect(problems.allSatisfy { !$0.contains("hunter") && !$0.contains("ter2") }, "\(problems)")
    }

    @Test func secretsNeverPrint() throws {
        let redis = try self.redis("url: \"redis://u:hunter2@h\", seal: [hunter2hunter2hunter2hunter2hunter2]")
        let issuer = try self.issuer("introspection: {url: \"https://i/\", credentials: {bearer: hunter2}}")
        #expect(!"\(redis) \(issuer)".contains("hunter2"))
    }
}
