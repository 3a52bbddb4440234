import Testing

@testable import PosternCore

/// Problems that introspection, Redis and revocation have with each other.
@Suite struct SharedStateMeaningTests {
    private static let start = "{upstream: unix:/s, default: public, "
    private static let ask = "url: \"https://i/\", credentials: {bearer: x}"
    private static let seal = "seal: \"${SECRET}\""
    private static let local = "issuer: x, audiences: any, keys: {file: jwk.json}"
    private static let asked = "issuers: {a: {introspection: {\(ask)}}}"

    @Test(
        arguments: [
            // Revocation without Redis, of both kinds of issuers.
            (
                "issuers: {a: {\(local), revocation: redis}, b: {introspection: {\(ask)}, revocation: required}}}",
                [
                    "115: error: issuers.a.revocation: needs redis, which is not configured: add redis: {url: …, seal: …}",
                    "201: error: issuers.b.revocation: needs redis, which is not configured: add redis: {url: …, seal: …}",
                ]
            ),
            // Redis that is there but broken is one problem.
            (
                "issuers: {a: {\(local), revocation: redis}}, redis: 5}",
                ["131: error: redis: must be a mapping"]
            ),
            // What only local validation looks at.
            (
                "issuers: {a: {introspection: {\(ask)}, algorithms: RS256, token_types: JWT}}}",
                [
                    "126: error: issuers.a.algorithms: has a meaning only with keys: the issuer itself judges the token; remove it",
                    "146: error: issuers.a.token_types: has a meaning only with keys: the issuer itself judges the token; remove it",
                ]
            ),
            (
                "issuers: {a: {\(local), introspection: {\(ask)}}}}",
                [
                    "103: error: issuers.a.introspection: only one of \"keys\", \"introspection\" may be given; \"keys\" is in line 1"
                ]
            ),
            // A form where no form is sent.
            (
                "issuers: {a: {introspection: {url: \"https://i/\", dialect: hecate, credentials: {form: {id: a, secret: b}}}}}}",
                [
                    "124: error: issuers.a.introspection.credentials.form: dialect hecate sends JSON and no form: use bearer or basic"
                ]
            ),
            // Two issuers cannot own the same iss, whatever they do with it.
            (
                "issuers: {a: {\(local)}, b: {issuer: x, introspection: {\(ask)}}}}",
                ["116: error: issuers.b.issuer: is already the issuer of \"a\" (line 1)"]
            ),
            // A frozen Redis would use up the time to ask.
            (
                "issuers: {a: {introspection: {\(ask), timeout: 50ms}}}, redis: {url: \"redis://h\", \(seal)}}",
                ["122: error: issuers.a.introspection.timeout: must be longer than redis.timeout (50ms)"]
            ),
            (
                "\(asked), redis: {url: \"redis://h\", timeout: 2s, \(seal)}}",
                ["151: error: redis.timeout: must be shorter than issuers.a.introspection.timeout (2s)"]
            ),
            // Passwords.
            (
                "\(asked), redis: {url: \"redis://u:p@h\", password: hunter2, \(seal)}}",
                ["156: error: redis.password: redis.url has a password already: keep one of the two"]
            ),
            (
                "\(asked), redis: {url: \"redis://u@h\", \(seal)}}",
                ["129: error: redis.url: names a user without a password: user:password@, or give redis.password"]
            ),
            // A password that cannot be read is one problem.
            (
                "\(asked), redis: {url: \"redis://u@h\", password: {file: nowhere}, \(seal)}}",
                ["161: error: redis.password.file: \"nowhere\" cannot be read: No such file or directory"]
            ),
        ] as [(String, [String])])
    func problemIsReported(text: String, problems: [String]) {
        #expect(World.problems(Self.start + text) == problems)
    }

    @Test(
        arguments: [
            (
                "issuers: {a: {\(local)}}, redis: {url: \"redis://h\", \(seal)}}",
                [
                    "112: warning: redis: has no effect: no issuer is validated by introspection, and none has \"revocation: redis\""
                ]
            ),
            (
                "\(asked), redis: {url: \"redis://h\", ca: public.pem, \(seal)}}",
                ["146: warning: redis.ca: has no effect: Redis is reached without TLS"]
            ),
            (
                "\(asked), redis: {url: \"redis+cluster://h,redis.example.com\", password: x, \(seal)}}",
                [
                    "129: warning: redis.url: Redis is reached without TLS at redis.example.com: whoever is on the way can see the password and change revocations; use rediss"
                ]
            ),
            (
                "\(asked), redis: {url: \"redis://8.8.8.8\", \(seal)}}",
                [
                    "129: warning: redis.url: Redis is reached without TLS at 8.8.8.8: whoever is on the way can change revocations; use rediss"
                ]
            ),
            (
                "issuers: {a: {introspection: {url: \"http://example.com/i\", credentials: {bearer: x}}}}}",
                [
                    "73: warning: issuers.a.introspection.url: tokens go over http to example.com: whoever is on the way can take them and call any token active; use https"
                ]
            ),
            (
                "issuers: {a: {introspection: {url: \"http://h/i\", ca: public.pem, credentials: {bearer: x}}}}}",
                ["91: warning: issuers.a.introspection.ca: has no effect: the issuer is asked over http"]
            ),
            (
                "issuers: {a: {introspection: {\(ask)}}, b: {introspection: {\(ask)}}}}",
                [
                    "134: warning: issuers.b.introspection: asks the same endpoint as \"a\": a token that is not active is asked about twice"
                ]
            ),
            (
                "issuers: {a: {\(local), revocation: required}}, redis: {url: \"redis://h\", \(seal)}, tunnel_at_expiry: keep}",
                [
                    "191: warning: tunnel_at_expiry: issuers.a requires revocations, but a tunnel goes on when its token is revoked: close would end it"
                ]
            ),
        ] as [(String, [String])])
    func oddityIsAWarning(text: String, warnings: [String]) throws {
        _ = try World.configuration(Self.start + text)
        #expect(World.problems(Self.start + text) == warnings)
    }

    @Test(arguments: [
        // Several that take any token; one endpoint for two audiences of its own, or with other credentials.
        "issuers: {a: {introspection: {\(ask)}}, b: {introspection: {url: \"https://j/\", credentials: {bearer: x}}}}}",
        "issuers: {a: {introspection: {\(ask)}}, b: {introspection: {url: \"https://i/\", credentials: {bearer: y}}}}}",
        "issuers: {a: {issuer: x, introspection: {\(ask)}}, b: {introspection: {\(ask)}}}}",
        // Asked about every token, and still serving through an outage.
        "issuers: {a: {introspection: {\(ask), cache: 0s, stale_if_error: 1h}}}}",
        "issuers: {a: {\(local), revocation: required}}, redis: {url: \"redis://h\", \(seal)}}",
        "issuers: {a: {\(local), revocation: required}}, redis: {url: \"redis://h\", \(seal)}, tunnel_at_expiry: close}",
        "issuers: {a: {\(local), revocation: redis}}, redis: {url: \"redis://h\", \(seal)}, tunnel_at_expiry: keep}",
        "\(asked), redis: {url: \"rediss://redis.example.com\", ca: public.pem, \(seal)}}",
        "\(asked), redis: {url: \"redis://u@h\", password: x, \(seal)}}",
    ])
    func nothingIsOdd(text: String) throws {
        _ = try World.configuration(Self.start + text)
        #expect(World.problems(Self.start + text) == [])
    }
}
