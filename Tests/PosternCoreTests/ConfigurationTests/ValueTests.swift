import Testing

@testable import PosternCore

/// What the written values become.
@Suite struct ValueTests {
    private static let issuers =
        "issuers: {i: {issuer: x, audiences: any, keys: {file: jwk.json}}, j: {issuer: y, audiences: any, "
        + "keys: {file: jwk.json}}}"

    private func access(_ value: String, path: String = "/r/{p}") throws -> Access {
        let configuration = try World.configuration(
            "{upstream: unix:/s, \(Self.issuers), routes: {\"GET \(path)\": \(value)}}")
        return try #require(configuration.routes.first).access
    }

    @Test(arguments: [
        ("public", Access.open), ("deny", .denied), ("optional", .optional),
        ("authenticated", .required(Requirement())),
        ("{}", .required(Requirement())), ("{timeout: 1s}", .required(Requirement())),
        ("{scopes: a}", .required(Requirement(scopes: ["a"]))),
        (
            "{scopes: [b, a], any_scope: c, roles: [d], issuers: i}",
            .required(Requirement(scopes: ["b", "a"], anyScope: ["c"], roles: ["d"], issuers: ["i"]))
        ),
    ])
    func routeValueBecomesItsAccess(value: String, access: Access) throws {
        #expect(try self.access(value) == access)
    }

    @Test(arguments: [
        ("true", ClaimRule.Expectation.oneOf([.bool(true)])), ("\"true\"", .oneOf([.string("true")])),
        ("5", .oneOf([.number(5, text: "5")])), ("-1.5e3", .oneOf([.number(-1500, text: "-1.5e3")])),
        ("\"5\"", .oneOf([.string("5")])), ("\"${NUMBER}\"", .oneOf([.string("7")])),
        ("\"yes\"", .oneOf([.string("yes")])),
        ("2024-01-01", .oneOf([.string("2024-01-01")])), ("1.2.3", .oneOf([.string("1.2.3")])),
        ("[a, 1, false]", .oneOf([.string("a"), .number(1, text: "1"), .bool(false)])),
        ("\"{p}\"", .pathParameter("p")),
    ])
    func claimValueKeepsItsType(value: String, expectation: ClaimRule.Expectation) throws {
        let rule = ClaimRule(name: "c", selector: .name("c"), expectation: expectation)
        #expect(try self.access("{claims: {c: \(value)}}") == .required(Requirement(claims: [rule])))
    }

    @Test func claimKeyWithASlashIsAPointer() throws {
        let rule = ClaimRule(name: "/a/b~1c", selector: .pointer(["a", "b/c"]), expectation: .oneOf([.bool(true)]))
        #expect(try self.access("{claims: {/a/b~1c: true}}") == .required(Requirement(claims: [rule])))
    }

    @Test func restOfAPathIsAParameterToo() throws {
        let rule = ClaimRule(name: "c", selector: .name("c"), expectation: .pathParameter("rest"))
        let access = try self.access("{claims: {c: \"{rest}\"}}", path: "/r/{rest...}")
        #expect(access == .required(Requirement(claims: [rule])))
    }

    @Test func routeOverridesAreRead() throws {
        let route = try #require(
            try World.configuration(
                "{upstream: unix:/s, \(Self.issuers), routes: {GET /r: {timeout: 5s, body: 1KiB, forward_token: true, "
                    + "upstream: {url: unix:/t, connections: 3, queue: 0, retry: {attempts: 0}}}}}"
            ).routes.first)
        #expect(route.timeout == 5_000_000_000)
        #expect(route.body == .bytes(1024))
        #expect(route.forwardToken == true)
        #expect(route.upstream?.address == .unix(path: "/t"))
        #expect(route.upstream?.connections == 3)
        #expect(route.upstream?.queue == 0)
        #expect(route.upstream?.retryAttempts == 0)
        #expect(route.pattern.text == "GET /r")
    }

    @Test func routeWithoutOverridesHasNone() throws {
        let route = try #require(try World.configuration("{upstream: unix:/s, routes: {GET /r: public}}").routes.first)
        #expect(route.timeout == nil)
        #expect(route.body == nil)
        #expect(route.forwardToken == nil)
        #expect(route.upstream == nil)
    }

    @Test func issuerIsReadInFull() throws {
        let issuer = try #require(
            try World.configuration(
                "{upstream: unix:/s, issuers: {i: {issuer: x, audiences: any, algorithms: HS256, leeway: 0s, "
                    + "token_types: [JWT, Application/AT+jwt], claims: {scopes: /a, user: [b, c]}, admin: d, "
                    + "keys: {secret: {file: secret}}}}}"
            ).issuers.first)
        #expect(
            issuer.rules
                == IssuerRules(
                    name: "i", issuer: "x", audiences: nil, algorithms: [.hs256], leeway: 0,
                    tokenTypes: ["jwt", "at+jwt"],
                    claims: ClaimMap(scopes: [.pointer(["a"])], user: [.name("b"), .name("c")], admin: .name("d"))))
        #expect(issuer.keys == .secret(Secret(World.secret)))
    }

    @Test(arguments: [
        (
            "{file: jwks.json}",
            Configuration.Keys.file(.init(path: "jwks.json", bytes: Array(World.files["jwks.json", default: ""].utf8)))
        ),
        (
            "{inline: {kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}}",
            .inline(
                .object([
                    .init(name: "kty", value: .string("OKP")), .init(name: "crv", value: .string("Ed25519")),
                    .init(name: "x", value: .string("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
                ]))
        ),
        (
            "{discover: true, refresh: 1s, timeout: 1s, max_stale: 1s, ca: public.pem, headers: {A: {file: token}}}",
            .remote(
                .init(
                    source: .discovery(issuer: "https://i"), refresh: 1_000_000_000, timeout: 1_000_000_000,
                    maxStale: 1_000_000_000,
                    ca: .init(path: "public.pem", bytes: Array(World.files["public.pem", default: ""].utf8)),
                    headers: [.init(name: "A", value: Secret("Bearer x"))], allowsCleartext: false))
        ),
        (
            "{url: \"http://127.0.0.1/k\"}",
            .remote(
                .init(
                    source: .url("http://127.0.0.1/k"), refresh: 300_000_000_000, timeout: 2_000_000_000,
                    maxStale: 86_400_000_000_000, ca: nil, headers: [], allowsCleartext: true))
        ),
    ])
    func keysAreRead(value: String, keys: Configuration.Keys) throws {
        let issuer = try #require(
            try World.configuration(
                "{upstream: unix:/s, issuers: {i: {issuer: \"https://i\", audiences: any, keys: \(value)}}}"
            ).issuers.first)
        #expect(issuer.keys == keys)
    }

    @Test func identityReplacesTheInsertedSet() throws {
        let identity = try World.configuration(
            "{upstream: unix:/s, identity: {X-A: user, X-B: name, X-C: roles, X-D: scopes, X-E: client, X-F: admin, "
                + "X-G: issuer, X-H: a.b/c, X-I: /a/b}}"
        ).identity
        #expect(
            identity.map(\.source) == [
                .user, .name, .roles, .scopes, .client, .admin, .issuer, .claim(.name("a.b/c")),
                .claim(.pointer(["a", "b"])),
            ])
        #expect(identity.map(\.name) == ["X-A", "X-B", "X-C", "X-D", "X-E", "X-F", "X-G", "X-H", "X-I"])
    }

    @Test func everythingElseIsRead() throws {
        let configuration = try World.configuration(
            "{version: 1, upstream: unix:/s, listen: [unix:/l, {address: \"[::1]:0\"}], admin: {address: unix:/a, "
                + "status: \"[::]:2\"}, default: public, forward_token: true, event_loops: \"${NUMBER}\", "
                + "paths: {empty_segments: allow, encoded_slash: allow, semicolon: allow}, log: {level: error, "
                + "access: denied}, limits: {body: 5B}, cors: {preflight: deny}, trusted_proxies: []}")
        #expect(configuration.listen.map(\.address) == [.unix(path: "/l"), .host("::1", port: 0)])
        #expect(configuration.admin.address == .unix(path: "/a"))
        #expect(configuration.admin.status == .host("::", port: 2))
        #expect(configuration.defaultAccess == .open)
        #expect(configuration.forwardToken)
        #expect(configuration.eventLoops == 7)
        #expect(
            configuration.paths
                == TargetOptions(allowEmptySegments: true, allowEncodedSlash: true, allowSemicolon: true))
        #expect(configuration.log == Configuration.Log(level: .error, access: .denied))
        #expect(configuration.limits.body == .bytes(5))
    }

    @Test func secretNeverPrints() {
        let secret = Secret("hunter2")
        #expect("\(secret)" == "[redacted]")
        #expect(String(reflecting: secret) == "[redacted]")
        #expect(!"\(Configuration.Keys.secret(secret))".contains("hunter2"))
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("104"))
    }
}
