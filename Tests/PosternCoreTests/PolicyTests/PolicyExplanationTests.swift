import Testing

@testable import PosternCore

@Suite struct PolicyExplanationTests {
    private static let rule = Requirement(
        scopes: ["a", "b"], anyScope: ["c", "d"], roles: ["r"],
        claims: [
            .named("is_trusted", .bool(true)), .named("sub", parameter: "id"), .named("n", .number("1"), .string("x")),
        ],
        issuers: ["permiso"])

    private static func explain(_ caller: Principal) throws -> [ConditionOutcome] {
        try Policies([("GET /u/{id}", .required(Self.rule))]).explain(caller, "/u/alice")
    }

    @Test func everyConditionIsNamedInOrder() throws {
        let outcomes = try Self.explain(
            .caller(issuer: "other", scopes: ["b", "d"], claims: [("sub", .string("alice"))]))
        #expect(
            outcomes == [
                ConditionOutcome(kind: .scope, text: "scope a", held: false),
                ConditionOutcome(kind: .scope, text: "scope b", held: true),
                ConditionOutcome(kind: .anyScope, text: "one of the scopes c d", held: true),
                ConditionOutcome(kind: .role, text: "one of the roles r", held: false),
                ConditionOutcome(kind: .claim, text: "claim is_trusted is true", held: false),
                ConditionOutcome(kind: .claim, text: "claim sub is the path's {id}", held: true),
                ConditionOutcome(kind: .claim, text: "claim n is 1 or \"x\"", held: false),
                ConditionOutcome(kind: .issuer, text: "issuer is one of permiso", held: false),
            ])
    }

    @Test func adminHoldsWhatTheTokenDoesNotAndNotTheIssuer() throws {
        let outcomes = try Self.explain(.caller(issuer: "other", scopes: ["a"], admin: true))
        #expect(outcomes.map(\.held) == [true, true, true, true, true, true, true, false])
        #expect(outcomes.map(\.byAdmin) == [false, true, true, true, true, true, true, false])
    }

    @Test func routesThatAskNothingHaveNothingToExplain() throws {
        let policy = try Policies([("GET /a", .open), ("GET /b", .denied), ("GET /c", .required(Requirement()))])
        for path in ["/a", "/b", "/c"] { #expect(policy.explain(.caller(), path).isEmpty) }
    }
}
