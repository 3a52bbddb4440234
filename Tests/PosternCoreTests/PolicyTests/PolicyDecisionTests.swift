import Testing

@testable import PosternCore

@Suite struct PolicyDecisionTests {
    @Test(
        "a rule holds when all of its conditions hold, and the first that does not names the refusal",
        arguments: [
            ("any valid token", Requirement(), Principal.caller(), nil),
            ("all scopes", Requirement(scopes: ["a", "b"]), .caller(scopes: ["b", "c", "a"]), nil),
            (
                "one of the scopes is missing", Requirement(scopes: ["a", "b"]), .caller(scopes: ["a"]),
                .insufficientScope
            ),
            ("no scopes at all", Requirement(scopes: ["a"]), .caller(), .insufficientScope),
            ("scopes are compared whole", Requirement(scopes: ["a:read"]), .caller(scopes: ["a"]), .insufficientScope),
            ("scopes are case-sensitive", Requirement(scopes: ["a"]), .caller(scopes: ["A"]), .insufficientScope),
            ("one of any_scope", Requirement(anyScope: ["a", "b"]), .caller(scopes: ["b"]), nil),
            ("none of any_scope", Requirement(anyScope: ["a", "b"]), .caller(scopes: ["c"]), .insufficientScope),
            (
                "any_scope beside scopes", Requirement(scopes: ["a"], anyScope: ["b"]), .caller(scopes: ["a"]),
                .insufficientScope
            ),
            ("one of the roles", Requirement(roles: ["a", "b"]), .caller(roles: ["b"]), nil),
            ("none of the roles", Requirement(roles: ["a"]), .caller(roles: ["b"]), .accessDenied(.role)),
            ("a scope is no role", Requirement(roles: ["a"]), .caller(scopes: ["a"]), .accessDenied(.role)),
            ("a role is no scope", Requirement(scopes: ["a"]), .caller(roles: ["a"]), .insufficientScope),
            ("the issuer", Requirement(issuers: ["permiso"]), .caller(), nil),
            ("another issuer", Requirement(issuers: ["hecate", "x"]), .caller(), .accessDenied(.issuer)),
            ("an issuer is no role", Requirement(roles: ["permiso"]), .caller(), .accessDenied(.role)),
            ("scopes come before roles", Requirement(scopes: ["a"], roles: ["b"]), .caller(), .insufficientScope),
            (
                "roles come before claims", Requirement(roles: ["a"], claims: [.named("c", .bool(true))]), .caller(),
                .accessDenied(.role)
            ),
            (
                "claims come before issuers", Requirement(claims: [.named("c", .bool(true))], issuers: ["x"]),
                .caller(),
                .accessDenied(.claim)
            ),
            (
                "composed and decomposed characters are different scopes", Requirement(scopes: ["caf\u{E9}"]),
                .caller(scopes: ["cafe\u{301}"]), .insufficientScope
            ),
            (
                "the Kelvin sign is not a K", Requirement(roles: ["K"]), .caller(roles: ["\u{212A}"]),
                .accessDenied(.role)
            ),
        ] as [(String, Requirement, Principal, Decision?)])
    func conditions(_ sentence: String, _ requirement: Requirement, _ principal: Principal, _ refusal: Decision?) throws
    {
        let decision = try Policies([("GET /x", .required(requirement))]).decide(principal)
        #expect(decision.isPermit == (refusal == nil), "\(sentence)")
        if let refusal { #expect(decision == refusal, "\(sentence)") }
    }

    @Test(
        "an admin passes scopes, roles and claims, but not issuers",
        arguments: [
            (Requirement(scopes: ["a"], anyScope: ["b"], roles: ["c"]), true, true),
            (Requirement(claims: [.named("c", .bool(true)), .named("sub", parameter: "id")]), true, true),
            (Requirement(claims: [.named("c")]), true, true), (Requirement(issuers: ["other"]), true, false),
            (Requirement(scopes: ["a"]), false, false), (Requirement(scopes: ["a"]), nil, false),
        ] as [(Requirement, Bool?, Bool)])
    func admins(_ requirement: Requirement, _ admin: Bool?, _ passes: Bool) throws {
        let policy = try Policies([("GET /{id}", .required(requirement))])
        #expect(policy.decide(.caller(admin: admin)).isPermit == passes)
    }

    @Test("rules without conditions: who gets a permit with a token, and who without")
    func openDeniedOptional() throws {
        let policy = try Policies([
            ("GET /open", .open), ("GET /denied", .denied), ("GET /optional", .optional),
            ("GET /token", .required(Requirement())),
        ])
        let outcomes = (0..<4).map { policy.catalogue.permitOpen(route: $0)?.route }
        #expect(outcomes == [0, nil, 2, nil])
        #expect(policy.decide(.caller(), "/open").isPermit)
        #expect(policy.decide(.caller(admin: true), "/denied") == .routeDenied)
        #expect(policy.decide(.caller(), "/optional").isPermit)
        #expect(policy.decide(.caller(), "/token").isPermit)
        #expect(policy.decide(.caller(admin: true), "/nowhere") == .routeDenied)
    }

    @Test(
        "what no route declares follows default",
        arguments: [
            (Access.denied, false, false), (.open, true, true), (.optional, true, true),
            (.required(Requirement()), false, true), (.required(Requirement(scopes: ["a"])), false, false),
        ])
    func defaults(_ access: Access, _ withoutToken: Bool, _ withToken: Bool) throws {
        let catalogue = try Policies([("GET /x", .open)], default: access).catalogue
        let standing = catalogue.standing(of: .caller())
        #expect(catalogue.permitDefault(standing: nil)?.route == (withoutToken ? PolicyCatalogue.undeclared : nil))
        #expect(catalogue.permitDefault(standing: standing)?.route == (withToken ? PolicyCatalogue.undeclared : nil))
    }

    @Test("an index that is no route is denied", arguments: [-2, 1, 1000, Int.max, Int.min])
    func unknownRoutesAreDenied(_ route: Int) throws {
        let catalogue = try Policies([("GET /x", .open)], default: .open).catalogue
        let standing = catalogue.standing(of: .caller(admin: true))
        #expect(catalogue.permitOpen(route: route) == nil)
        let none = [UInt8]()
        let decision = catalogue.decide(
            route: route, standing: standing, bytes: none.span.bytes, captures: Captures())
        #expect(decision == .routeDenied)
        #expect(catalogue.required(route) == nil)
    }

    @Test func standingOfAnotherPolicyPermitsNothing() throws {
        // Under each policy the one condition has the number 0.
        let reader = try Policies([("GET /x", .required(Requirement(scopes: ["read"])))])
        let admin = try Policies([("GET /x", .required(Requirement(scopes: ["admin"])))])
        let same = try Policies([("GET /y", .required(Requirement(scopes: ["read"])))])
        let standing = reader.catalogue.standing(of: .caller(scopes: ["read"], admin: true))
        let none = [UInt8]()
        func decide(_ policy: Policies) -> Decision {
            policy.catalogue.decide(route: 0, standing: standing, bytes: none.span.bytes, captures: Captures())
        }
        #expect(decide(reader).isPermit && reader.catalogue.isCurrent(standing))
        #expect(decide(admin) == .accessDenied(.foreignStanding) && !admin.catalogue.isCurrent(standing))
        #expect(decide(same).isPermit && same.catalogue.isCurrent(standing))
    }

    @Test("two hundred scopes are told apart, beyond the inline word")
    func manyConditions() throws {
        let rules = (0..<200).map {
            ("GET /r\($0)", Access.required(Requirement(scopes: ["s\($0)", "s\(($0 + 7) % 200)"])))
        }
        let policy = try Policies(rules)
        for index in 0..<200 {
            let needed = ["s\(index)", "s\((index + 7) % 200)"]
            let others = (0..<200).map { "s\($0)" }.filter { !needed.contains($0) }
            #expect(policy.decide(.caller(scopes: needed), "/r\(index)").isPermit)
            #expect(policy.decide(.caller(scopes: others + [needed[0]]), "/r\(index)") == .insufficientScope)
        }
    }

    @Test func requirementIsKeptForTheRefusal() throws {
        let requirement = Requirement(scopes: ["b", "a"], roles: ["r"])
        let policy = try Policies([("GET /x", .required(requirement)), ("GET /y", .open)])
        #expect(policy.catalogue.required(0) == requirement)
        #expect(policy.catalogue.required(1) == nil)
    }
}
