import PosternCore
import Testing

@Suite struct GateTests {
    private static let routes: [(key: String, access: Access)] = [
        ("GET /public", .open), ("ANY /denied/{rest...}", .denied), ("GET /optional", .optional),
        ("GET|POST /any", .required(Requirement())),
        ("GET /scoped", .required(Requirement(scopes: ["b", "a"]))),
        ("GET /roles", .required(Requirement(roles: ["boss"]))),
        ("GET /issuers", .required(Requirement(issuers: ["other"]))),
    ]

    private static func gate(default access: Access = .denied, tokenLimit: Int = 64) throws -> Gate {
        let patterns = try Self.routes.map { try RoutePattern.parse($0.key, options: TargetOptions()) }
        func rules(_ label: String) -> RouteRules {
            RouteRules(label: label, responseTimeout: 1, bodyLimit: nil, forwardToken: false, upstream: 0)
        }
        return Gate(
            target: TargetOptions(), tokenLimit: tokenLimit, routes: try RouteTable(patterns),
            policy: PolicyCatalogue(
                zip(patterns, Self.routes).map { (pattern: $0, access: $1.access) }, default: access),
            rules: Self.routes.map { rules($0.key) }, fallback: rules("default"), identity: IdentityRules(),
            generation: 3)
    }

    /// What a head gets, in words; and the route it was given.
    private static func admit(_ text: String, _ gate: Gate) throws -> (verdict: String, route: Int) {
        let read = try #require(try readRequest(text))
        var route = 99
        var target = CheckedTarget(path: .none)
        var captures = Captures()
        switch gate.admit(read.bytes.span.bytes, read.head, route: &route, target: &target, captures: &captures) {
        case .permit(let permit): return ("permit \(permit.route)", route)
        case .verify(let range): return ("verify \(read.text(range))", route)
        case .answer(let answer): return (answer.isAllowed ? "answer" : "silence", route)
        case .refuse(let refusal): return (refusal.code.rawValue, route)
        }
    }

    private static func head(_ line: String, _ fields: String...) -> String {
        "\(line) HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    @Test(
        "the order of decisions before a token is verified",
        arguments: [
            Row(head("GET /public"), "permit 0", "a public route needs no token"),
            Row(head("HEAD /public"), "permit 0", "GET is for HEAD, too"),
            Row(
                head("GET /public", "Authorization: Bearer a", "Authorization: x"), "permit 0", "no token is looked at"),
            Row(head("GET /denied/x", "Authorization: Bearer a"), "route_denied", "a denied route, whatever the token"),
            Row(head("GET /optional"), "permit 2", "anonymous passes an optional route"),
            Row(head("GET /optional", "Authorization: Basic x"), "permit 2", "another scheme is no credential"),
            Row(
                head("GET /optional", "Authorization: Bearer a.b-c"), "verify a.b-c",
                "a token is verified where it comes"),
            Row(
                head("GET /optional", "Authorization: Bearer"), "invalid_request",
                "a malformed one is refused there, too"),
            Row(head("GET /any"), "missing_token", "no credential"),
            Row(head("GET /any", "Authorization: Basic x"), "missing_token", "another scheme"),
            Row(head("GET /any?access_token=x"), "missing_token", "a token in the query alone is no credential"),
            Row(head("GET /any", "Authorization: bearer   a"), "verify a", "any case and any number of spaces"),
            Row(head("GET /any", "Authorization: Bearer a b"), "invalid_request", "two tokens in one value"),
            Row(
                head("GET /any", "Authorization: Bearer a", "Authorization: Bearer a"), "invalid_request",
                "two Authorization fields"),
            Row(
                head("GET /any", "Authorization: Bearer a", "authorization: Basic x"), "invalid_request",
                "two Authorization fields of different schemes"),
            Row(head("GET /any?access_token=x", "Authorization: Bearer a"), "invalid_request", "a token in two places"),
            Row(
                head("GET /any?acces%73_token=x", "Authorization: Bearer a"), "invalid_request",
                "an escaped name is the same"),
            Row(
                head("GET /any", "Authorization: Bearer \(String(repeating: "a", count: 64))"),
                "verify \(String(repeating: "a", count: 64))", "a token of exactly the limit"),
            Row(
                head("GET /any", "Authorization: Bearer \(String(repeating: "a", count: 65))"), "invalid_request",
                "one byte over"),
            Row(
                head("DELETE /any"), "method_not_allowed", "another method of a declared path, for a caller of any kind"
            ),
            Row(head("get /any"), "method_not_allowed", "a method in lower case is another"),
            Row(head("GET /nowhere"), "route_not_declared", "an undeclared path is denied"),
            Row(head("GET /nowhere", "Authorization: Bearer a"), "route_not_declared", "with a token, too"),
            Row(head("GET /Any"), "route_not_declared", "paths are case-sensitive"),
            Row(head("GET /any/"), "route_not_declared", "a trailing slash is another path"),
            Row(head("GET /public/../any"), "ambiguous_path", "a dot segment"),
            Row(head("GET /denied/..%2f"), "ambiguous_path", "an encoded slash"),
            Row(head("GET //public"), "ambiguous_path", "an empty segment"),
            Row(head("GET /public;x"), "ambiguous_path", "a semicolon"),
            Row(head("OPTIONS *"), "bad_request", "the asterisk form"),
            Row(head("GET a:80"), "bad_request", "the authority form"),
            Row(head("GET ftp://a/public"), "bad_request", "another scheme"),
            Row(head("GET http://u@a/public"), "bad_request", "userinfo"),
            Row(head("GET http://a/public"), "permit 0", "absolute-form"),
            Row(head("GET HTTP://A/public"), "permit 0", "hosts agree in any case"),
            Row(head("GET http://b/public"), "bad_request", "absolute-form with another host"),
            Row(head("GET http://a:80/public"), "bad_request", "absolute-form with a port that Host has not"),
            Row(head("GET http://a.b/public"), "bad_request", "a longer host"),
            Row(head("GET /%70ublic"), "permit 0", "an escaped letter is the letter"),
        ] as [Row<String>])
    func admission(_ row: Row<String>) throws {
        #expect(try Self.admit(row.text, Self.gate()).verdict == row.expected)
    }

    @Test("the route is known to logs as soon as it is, whatever the verdict")
    func routeForLogs() throws {
        let gate = try Self.gate()
        #expect(try Self.admit(Self.head("GET /any"), gate).route == 3)
        #expect(try Self.admit(Self.head("GET /denied/x"), gate).route == 1)
        #expect(try Self.admit(Self.head("DELETE /any"), gate).route == PolicyCatalogue.undeclared)
        #expect(try Self.admit(Self.head("GET //"), gate).route == PolicyCatalogue.undeclared)
        #expect(gate.rules(of: 3).label == "GET|POST /any")
        #expect(gate.rules(of: PolicyCatalogue.undeclared).label == "default")
    }

    @Test("what an undeclared path gets is the default's")
    func fallback() throws {
        let undeclared = Self.head("GET /nowhere")
        #expect(try Self.admit(undeclared, Self.gate(default: .open)).verdict == "permit -1")
        let authenticated = try Self.gate(default: .required(Requirement()))
        #expect(try Self.admit(undeclared, authenticated).verdict == "missing_token")
        #expect(
            try Self.admit(Self.head("GET /nowhere", "Authorization: Bearer a"), authenticated).verdict == "verify a")
        #expect(try Self.admit(Self.head("DELETE /any"), Self.gate(default: .open)).verdict == "method_not_allowed")
    }

    @Test("405 names the methods of the path, HEAD with GET")
    func allow() throws {
        let read = try #require(try readRequest(Self.head("DELETE /any")))
        var route = 0
        var target = CheckedTarget(path: .none)
        var captures = Captures()
        let admission = try Self.gate().admit(
            read.bytes.span.bytes, read.head, route: &route, target: &target, captures: &captures)
        guard case .refuse(let refusal) = admission else {
            Issue.record("\(admission)")
            return
        }
        #expect(refusal.allow == ["GET", "HEAD", "POST"])
    }

    // MARK: - With a verified token

    private static func authorize(_ route: Int, _ principal: Principal) throws -> Result<Int, Refusal> {
        let gate = try Self.gate()
        let token = try gate.verifiedToken(for: principal).get()
        return gate.authorize(route: route, token: token, bytes: [UInt8]().span.bytes, captures: Captures()).map(
            \.route)
    }

    @Test("a caller gets through, or learns what the route needs")
    func authorization() throws {
        let caller = Principal(issuer: "permiso", scopes: ["a", "b"], roles: ["boss"], expiresAt: 1)
        #expect(try Self.authorize(3, caller) == .success(3))
        #expect(try Self.authorize(4, caller) == .success(4))
        #expect(try Self.authorize(5, caller) == .success(5))
        let nobody = Principal(issuer: "permiso", scopes: ["a"], expiresAt: 1)
        #expect(try Self.authorize(3, nobody) == .success(3))
        for (route, code) in [(4, .insufficientScope), (5, .accessDenied), (6, .accessDenied)] as [(Int, RefusalCode)] {
            guard case .failure(let refusal) = try Self.authorize(route, nobody) else {
                Issue.record("route \(route)")
                continue
            }
            #expect(refusal.code == code)
            #expect(refusal.required == Self.routes[route].access.requirement)
        }
        #expect(try Self.authorize(1, caller).refusal?.code == .routeDenied)
        #expect(try Self.authorize(PolicyCatalogue.undeclared, caller).refusal?.code == .routeNotDeclared)
        #expect(try Self.authorize(99, caller).refusal?.code == .routeDenied)
        let admin = Principal(issuer: "permiso", admin: true, expiresAt: 1)
        #expect(try Self.authorize(4, admin) == .success(4))
        #expect(try Self.authorize(6, admin).refusal?.code == .accessDenied, "admin does not pass issuers")
    }

    @Test("a verified token knows its policy, its identity lines and its members of a log line")
    func verifiedToken() throws {
        let gate = try Self.gate()
        let principal = Principal(
            issuer: "permiso", user: "u\"1", client: "c", tokenID: "j\n", issuedAt: 1, expiresAt: 12.5)
        let refused = gate.verifiedToken(for: Principal(issuer: "permiso", user: "u\n", expiresAt: 1))
        guard case .failure(let refusal) = refused else {
            Issue.record("a control character passed")
            return
        }
        #expect(refusal.code == .invalidToken)
        let token = try gate.verifiedToken(for: principal).get()
        #expect(gate.isCurrent(token) && token.generation == 3 && token.expiresAt == 12.5)
        #expect(try !openGate().isCurrent(token))
        #expect(
            String(decoding: token.identity, as: UTF8.self)
                == "X-User-Id: u\"1\r\nX-Client-Id: c\r\nX-Auth-Issuer: permiso\r\n")
        #expect(
            String(decoding: token.logMembers, as: UTF8.self)
                == #","issuer":"permiso","user":"u\"1","client_id":"c","jti":"j\n""#)
        let large = gate.verifiedToken(
            for: Principal(issuer: "permiso", user: String(repeating: "u", count: 9_000), expiresAt: 1))
        guard case .failure(let refusal) = large else {
            Issue.record("identity over its limit passed")
            return
        }
        #expect(refusal.code == .identityTooLarge)
    }

    @Test("identity that a refused request brought is seen, in heads and in trailers")
    func spoofs() throws {
        let gate = try Self.gate()
        func spoofs(_ line: String) throws -> (head: Bool, trailers: Bool) {
            let read = try #require(try readRequest(Self.head("GET /any", "X: y", line, "Z:")))
            return (
                gate.spoofs(read.bytes.span.bytes, read.head),
                gate.spoofs(trailers: Array("X: y\r\n\(line)\r\nZ:\r\n".utf8))
            )
        }
        for line in ["X-User-Id: a", "x_user_id:", "X-Auth-A: :", "X_CLIENT-TRUSTED: true"] {
            #expect(try spoofs(line) == (true, true), "\(line)")
        }
        for line in ["X-Users: X-User-Id: a", "A: b", "Authorization: X-User-Id"] {
            #expect(try spoofs(line) == (false, false), "\(line)")
        }
        #expect(!gate.spoofs(trailers: []))
    }
}

extension Result where Failure == Refusal {
    fileprivate var refusal: Refusal? {
        if case .failure(let refusal) = self { refusal } else { nil }
    }
}
