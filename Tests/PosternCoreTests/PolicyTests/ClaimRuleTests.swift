import Testing

@testable import PosternCore

@Suite struct ClaimRuleTests {
    private static let nested = JSONValue.object([
        .init(name: "roles", value: .array([.string("x"), .string("y")])), .init(name: "a/b", value: .string("slash")),
    ])

    @Test(
        "a claim is compared by type and value, and an array matches by what it contains",
        arguments: [
            (ClaimRule.named("c", .bool(true)), .bool(true), true), (.named("c", .bool(true)), .bool(false), false),
            (.named("c", .bool(true)), .string("true"), false), (.named("c", .bool(true)), .number("1"), false),
            (.named("c", .string("x")), .string("x"), true), (.named("c", .string("x")), .string("X"), false),
            (.named("c", .string("1")), .number("1"), false), (.named("c", .number("1")), .string("1"), false),
            (.named("c", .number("3")), .number("3.0"), true), (.named("c", .number("3")), .number("30e-1"), true),
            (.named("c", .number("0.1")), .number("0.1"), true),
            (.named("c", .number("9007199254740992")), .number("9007199254740993"), false),
            (.named("c", .number("9007199254740993")), .number("9007199254740993"), true),
            (.named("c", .string("a"), .string("b")), .string("b"), true),
            (.named("c", .string("a"), .number("2")), .number("2"), true),
            (.named("c", .string("a"), .string("b")), .string("c"), false),
            (.named("c", .string("x")), .array([.string("w"), .string("x")]), true),
            (.named("c", .string("x")), .array([.string("w")]), false), (.named("c", .string("x")), .array([]), false),
            (.named("c", .bool(true)), .array([.bool(true)]), true),
            (.named("c", .string("x")), .array([.array([.string("x")])]), false),
            (.named("c", .string("x")), .object([.init(name: "x", value: .string("x"))]), false),
            (.named("c", .string("x")), .string("x y"), false), (.named("c", .string("")), .string(""), true),
            (.named("c", .null), .null, false), (.named("c"), .string("x"), false),
            (.named("c", .array([.string("x")])), .array([.string("x")]), false),
            (.named("c", .string("\u{E9}")), .string("e\u{301}"), false),
            (.named("d", .string("x")), .string("x"), false),
            (.named("/c/roles", .string("y")), nested, true), (.named("/c/roles/0", .string("x")), nested, true),
            (.named("/c/a~1b", .string("slash")), nested, true), (.named("c/roles", .string("y")), nested, false),
        ] as [(ClaimRule, JSONValue, Bool)])
    func values(_ rule: ClaimRule, _ claim: JSONValue, _ holds: Bool) throws {
        let policy = try Policies([("GET /x", .required(Requirement(claims: [rule])))])
        let decision = policy.decide(.caller(claims: [("c", claim)]))
        #expect(decision.isPermit == holds)
        if !holds { #expect(decision == .accessDenied(.claim)) }
        #expect(policy.explain(.caller(claims: [("c", claim)])).allSatisfy(\.held) == holds)
    }

    @Test func rulesThatLookEqualAreNotMixedUp() throws {
        // Swift calls these strings equal; each route must still ask for its own.
        let policy = try Policies([
            ("GET /a", .required(Requirement(claims: [.named("c", .string("\u{E9}"))]))),
            ("GET /b", .required(Requirement(claims: [.named("c", .string("e\u{301}"))]))),
            ("GET /c", .required(Requirement(claims: [.named("c", .string("1"))]))),
            ("GET /d", .required(Requirement(claims: [.named("c", .number("1"))]))),
        ])
        let composed = Principal.caller(claims: [("c", .string("\u{E9}"))])
        #expect(["/a", "/b", "/c", "/d"].map { policy.decide(composed, $0).isPermit } == [true, false, false, false])
        let one = Principal.caller(claims: [("c", .number("1"))])
        #expect(["/a", "/b", "/c", "/d"].map { policy.decide(one, $0).isPermit } == [false, false, false, true])
    }

    @Test func allClaimRulesMustHold() throws {
        let rules: [ClaimRule] = [.named("a", .bool(true)), .named("b", .string("x"))]
        let policy = try Policies([("GET /x", .required(Requirement(claims: rules)))])
        #expect(policy.decide(.caller(claims: [("a", .bool(true)), ("b", .string("x"))])).isPermit)
        #expect(policy.decide(.caller(claims: [("a", .bool(true))])) == .accessDenied(.claim))
        #expect(policy.decide(.caller(claims: [("b", .string("x"))])) == .accessDenied(.claim))
    }

    @Test(
        "a claim bound to a path parameter must be its text, percent-decoded once",
        arguments: [
            ("GET /u/{id}", "/u/alice", .string("alice"), true), ("GET /u/{id}", "/u/Alice", .string("alice"), false),
            ("GET /u/{id}", "/u/%61lice", .string("alice"), true), ("GET /u/{id}", "/u/%2561", .string("a"), false),
            ("GET /u/{id}", "/u/%2561", .string("%61"), true), ("GET /u/{id}", "/u/alice", .string("alice2"), false),
            ("GET /u/{id}", "/u/alice2", .string("alice"), false),
            ("GET /u/{id}", "/u/caf%C3%A9", .string("caf\u{E9}"), true),
            ("GET /u/{id}", "/u/caf%C3%A9", .string("cafe\u{301}"), false),
            ("GET /u/{id}", "/u/42", .number("42"), true), ("GET /u/{id}", "/u/42", .number("42.0"), false),
            ("GET /u/{id}", "/u/true", .bool(true), false), ("GET /u/{id}", "/u/null", .null, false),
            ("GET /u/{id}", "/u/b", .array([.string("a"), .string("b")]), true),
            ("GET /u/{id}", "/u/c", .array([.string("a"), .string("b")]), false),
            ("GET /u/{id}", "/u/a", .array([.array([.string("a")])]), false),
            ("GET /u/{id}", "/u/a", .array([]), false),
            ("GET /{x}/u/{id}", "/bob/u/alice", .string("alice"), true),
            ("GET /{x}/u/{id}", "/alice/u/bob", .string("alice"), false),
            ("GET /{id}/{r...}", "/alice/b/c", .string("alice"), true),
            ("GET /u/{id...}", "/u/a/b", .string("a/b"), true),
            ("GET /u/{id...}", "/u/", .string(""), false), ("GET /u/{other}", "/u/alice", .string("alice"), false),
        ] as [(String, String, JSONValue, Bool)])
    func pathParameters(_ key: String, _ path: String, _ claim: JSONValue, _ holds: Bool) throws {
        let requirement = Requirement(claims: [.named("sub", parameter: "id")])
        let policy = try Policies([(key, .required(requirement))])
        let caller = Principal.caller(claims: [("sub", claim)])
        let decision = policy.decide(caller, path)
        #expect(decision.isPermit == holds)
        if !holds { #expect(decision == .accessDenied(.claim)) }
        #expect(policy.explain(caller, path).map(\.held) == [holds])
    }

    @Test("an encoded slash is data in one segment and never a separator of the rest")
    func encodedSlashInParameters() throws {
        let slash = TargetOptions(allowEncodedSlash: true)
        let rule = Requirement(claims: [.named("sub", parameter: "id")])
        let caller = Principal.caller(claims: [("sub", .string("a/b"))])
        let one = try Policies([("GET /u/{id}", .required(rule))], options: slash)
        #expect(one.decide(caller, "/u/a%2Fb").isPermit)
        let rest = try Policies([("GET /u/{id...}", .required(rule))], options: slash)
        #expect(rest.decide(caller, "/u/a/b").isPermit)
        #expect(rest.decide(caller, "/u/a%2fb") == .accessDenied(.claim))
    }

    @Test func absentClaimMatchesNoParameter() throws {
        let policy = try Policies([("GET /{id}", .required(Requirement(claims: [.named("sub", parameter: "id")])))])
        #expect(policy.decide(.caller(), "/x") == .accessDenied(.claim))
    }

    @Test func severalBoundClaimsKeepTheirPlaces() throws {
        let rules: [ClaimRule] = [.named("tenant", parameter: "t"), .named("sub", parameter: "u")]
        let policy = try Policies([
            ("GET /only/{u}", .required(Requirement(claims: [.named("sub", parameter: "u")]))),
            ("GET /{t}/{u}", .required(Requirement(claims: rules))),
        ])
        let caller = Principal.caller(claims: [("sub", .string("alice")), ("tenant", .string("acme"))])
        #expect(policy.decide(caller, "/acme/alice").isPermit)
        #expect(policy.decide(caller, "/alice/acme") == .accessDenied(.claim))
        #expect(policy.decide(caller, "/acme/acme") == .accessDenied(.claim))
        #expect(policy.decide(caller, "/only/alice").isPermit)
        #expect(policy.decide(caller, "/only/acme") == .accessDenied(.claim))
    }
}
