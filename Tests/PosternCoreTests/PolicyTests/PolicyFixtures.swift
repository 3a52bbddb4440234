@testable import PosternCore

/// A policy of keys and rules, and decisions under it.
struct Policies {
    let routes: Routes
    let catalogue: PolicyCatalogue
    let accesses: [(pattern: RoutePattern, access: Access)]

    init(
        _ rules: [(String, Access)], default defaultAccess: Access = .denied, options: TargetOptions = TargetOptions()
    ) throws {
        let routes = try Routes(rules.map(\.0), options)
        self.routes = routes
        self.accesses = zip(routes.patterns, rules).map { (pattern: $0, access: $1.1) }
        self.catalogue = PolicyCatalogue(self.accesses, default: defaultAccess)
    }

    /// What a GET of the path by this principal comes to.
    func decide(_ principal: Principal, _ path: String = "/x") -> Decision {
        let bytes = Array(path.utf8)
        var captures = Captures()
        let match = self.routes.table.match(
            bytes.span.bytes, path: ByteRange(0, bytes.count), hasEscapes: path.contains("%"), method: .get,
            methodToken: .none, captures: &captures)
        var route = PolicyCatalogue.undeclared
        if case .route(let index) = match { route = index }
        return self.catalogue.decide(
            route: route, standing: self.catalogue.standing(of: principal), bytes: bytes.span.bytes, captures: captures)
    }

    /// The lines of `explain` for a GET of the path.
    func explain(_ principal: Principal, _ path: String = "/x") -> [ConditionOutcome] {
        let bytes = Array(path.utf8)
        var captures = Captures()
        let match = self.routes.table.match(
            bytes.span.bytes, path: ByteRange(0, bytes.count), hasEscapes: path.contains("%"), method: .get,
            methodToken: .none, captures: &captures)
        guard case .route(let route) = match else { return [] }
        return self.catalogue.explain(
            route: route, principal: principal, bytes: bytes.span.bytes, captures: captures)
    }

    func warnings(_ options: TargetOptions = TargetOptions()) -> [PolicyWarning] {
        PolicyAnalysis.warnings(table: self.routes.table, routes: self.accesses, options: options)
    }
}

extension Decision {
    var isPermit: Bool {
        if case .permit = self { true } else { false }
    }
}

extension Principal {
    static func caller(
        issuer: String = "permiso", scopes: [String] = [], roles: [String] = [], admin: Bool? = nil,
        claims: [(String, JSONValue)] = []
    ) -> Principal {
        Principal(
            issuer: issuer, user: "u", scopes: scopes, roles: roles, admin: admin,
            claims: .object(claims.map { JSONValue.Member(name: $0.0, value: $0.1) }), expiresAt: 1)
    }
}

extension JSONValue {
    static func number(_ text: String) -> JSONValue { .number(Double(text) ?? .nan, text: text) }
}

extension ClaimRule {
    static func named(_ name: String, _ values: JSONValue...) -> ClaimRule {
        ClaimRule(name: name, selector: ClaimSelector(name), expectation: .oneOf(values))
    }

    static func named(_ name: String, parameter: String) -> ClaimRule {
        ClaimRule(name: name, selector: ClaimSelector(name), expectation: .pathParameter(parameter))
    }
}
