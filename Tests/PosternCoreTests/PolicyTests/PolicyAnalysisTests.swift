import Testing

@testable import PosternCore

@Suite struct PolicyAnalysisTests {
    private static let token = Access.required(Requirement())

    @Test func referencePolicyHasNothingToWarnOf() throws {
        var rules: [(String, Access)] = RouteTableTests.reference.map { ($0, Self.token) }
        rules[0].1 = .open
        rules[9].1 = .denied
        #expect(try Policies(rules).warnings().isEmpty)
    }

    @Test(
        "a rest that more specific routes cover wholly is unreachable, in part shadowed",
        arguments: [
            (["GET /a/{r...}", "GET /a/", "GET /a/{x}", "GET /a/{x}/{r...}"], PolicyWarning.Kind.unreachable),
            (["GET /a/{r...}", "ANY /a/", "ANY /a/{x}", "ANY /a/{x}/{r...}"], .unreachable),
            (["ANY /a/{r...}", "ANY /a/", "ANY /a/{x}", "ANY /a/{x}/{r...}"], .unreachable),
            (["BREW /a/{r...}", "BREW /a/", "ANY /a/{x}", "BREW /a/{x}/{r...}"], .unreachable),
            (
                ["GET /{r...}", "GET /", "GET /{x}", "GET /{x}/", "GET /{x}/{y}", "GET /{x}/{y}/{r...}"],
                .unreachable
            ),
            (["GET|POST /a/{r...}", "GET /a/", "GET /a/{x}", "GET /a/{x}/{r...}"], .shadowed),
            (["ANY /a/{r...}", "GET /a/", "GET /a/{x}", "GET /a/{x}/{r...}"], nil),
            (["GET /a/{r...}", "GET /a/", "GET /a/{x}"], nil),
            (["GET /a/{r...}", "GET /a/{x}", "GET /a/{x}/{r...}"], nil),
            (["GET /a/{r...}", "GET /a/", "POST /a/{x}", "GET /a/{x}/{r...}"], nil),
            (["GET /a/{r...}", "GET /a/", "GET /a/{x}", "GET /a/b/{r...}"], nil),
        ] as [([String], PolicyWarning.Kind?)])
    func reach(_ keys: [String], _ kind: PolicyWarning.Kind?) throws {
        let warnings = try Policies(keys.map { ($0, Self.token) }).warnings()
        #expect(warnings.map(\.kind) == (kind.map { [$0] } ?? []))
        #expect(warnings.allSatisfy { $0.route == 0 && $0.message.contains(keys[1]) })
    }

    @Test func emptySegmentsLeaveARestSomething() throws {
        let keys = ["GET /a/{r...}", "GET /a/", "GET /a/{x}", "GET /a/{x}/{r...}"]
        let options = TargetOptions(allowEmptySegments: true)
        #expect(try Policies(keys.map { ($0, Self.token) }, options: options).warnings(options).isEmpty)
        let covered = try Policies((keys + ["GET /a//{r...}"]).map { ($0, Self.token) }, options: options)
        #expect(covered.warnings(options).map(\.kind) == [.unreachable])
    }

    @Test(
        "conditions that nobody meets, or that say nothing, are named",
        arguments: [
            (Requirement(scopes: ["a b"]), .unreachable, "not one scope"),
            (Requirement(anyScope: [""]), .unreachable, "not one scope"),
            (Requirement(scopes: ["a\"b"]), .unreachable, "not one scope"),
            (Requirement(roles: [""]), .unreachable, "empty role"),
            (Requirement(scopes: ["a", "a"]), .suspicious, "scopes names a twice"),
            (Requirement(issuers: ["a", "a"]), .suspicious, "issuers names a twice"),
            (Requirement(scopes: ["a"], anyScope: ["b", "a"]), .suspicious, "any_scope says nothing"),
            (Requirement(claims: [.named("c")]), .unreachable, "claim c"),
            (Requirement(claims: [.named("c", .null)]), .unreachable, "claim c"),
            (Requirement(claims: [.named("sub", parameter: "no")]), .unreachable, "no parameter {no}"),
        ] as [(Requirement, PolicyWarning.Kind, String)])
    func conditions(_ requirement: Requirement, _ kind: PolicyWarning.Kind, _ words: String) throws {
        let warnings = try Policies([("GET /x/{id}", .required(requirement))]).warnings()
        #expect(warnings.count == 1)
        #expect(warnings.first?.kind == kind && warnings.first?.message.contains(words) == true)
    }

    @Test(
        "open routes that go around a protected one are suspicious, once each",
        arguments: [
            ([("ANY /in/{r...}", Access.denied), ("GET /in/health", .open)], 1, "below ANY /in/{r...}"),
            ([("GET /in/{r...}", token), ("GET /in/a/b", .optional)], 1, "below GET /in/{r...}"),
            ([("POST /a/b", token), ("GET /a/{x}", .open)], 1, "answers GET /a/b"),
            ([("GET /admin", token), ("GET /{r...}", .open)], 1, "answers"),
            ([("ANY /admin", .denied), ("GET /{r...}", .open)], 1, "answers GET /admin/"),
            ([("ANY /in/{r...}", .denied), ("ANY /{r...}", .open)], 1, "answers GET /in beside"),
            ([("GET /a", token), ("GET /A", token)], 1, "only in case"),
            ([("GET /a/*", token)], 0, "{rest...}"), ([("GET /a/:id", token)], 0, "{id}"),
            ([("GET /a/<id>", token)], 0, "{id}"),
        ] as [([(String, Access)], Int, String)])
    func detours(_ rules: [(String, Access)], _ route: Int, _ words: String) throws {
        let warnings = try Policies(rules).warnings()
        #expect(warnings.count == 1, "\(warnings)")
        #expect(warnings.first?.route == route && warnings.first?.kind == .suspicious)
        #expect(warnings.first?.message.contains(words) == true, "\(warnings)")
    }

    @Test(
        "a detour that only an option opens is found with that option alone",
        arguments: [
            (TargetOptions(allowEncodedSlash: true), "/admin%2Fx"), (TargetOptions(allowSemicolon: true), "/admin/x;x"),
            (TargetOptions(allowEmptySegments: true), "//admin/x"),
        ])
    func optionDetours(_ options: TargetOptions, _ path: String) throws {
        let open =
            options.allowEncodedSlash ? "GET /{page}" : options.allowSemicolon ? "GET /admin/{x}" : "GET //{r...}"
        let both = TargetOptions(allowEmptySegments: true)
        let policy = try Policies([("ANY /admin/x", Self.token), (open, .open)], options: both)
        #expect(policy.warnings().isEmpty)
        let warnings = policy.warnings(options)
        #expect(warnings.map(\.route) == [1] && warnings.first?.message.contains(path) == true, "\(warnings)")
    }

    @Test("what a policy is made of is not suspicious")
    func ordinaryExceptions() throws {
        let policy = try Policies([
            ("ANY /{r...}", .denied), ("GET /health", .open), ("GET /a/{x}", Self.token), ("POST /a/b", Self.token),
            ("GET /docs/{r...}", .open),
        ])
        #expect(policy.warnings().isEmpty)
    }

    @Test func warningsAreInTheOrderOfTheRoutes() throws {
        let policy = try Policies([
            ("GET /a/*", Self.token), ("GET /b", .required(Requirement(scopes: ["x y"]))), ("GET /A/*", Self.token),
        ])
        #expect(policy.warnings().map(\.route) == [0, 1, 2, 2])
        #expect(policy.warnings() == policy.warnings())
    }
}
