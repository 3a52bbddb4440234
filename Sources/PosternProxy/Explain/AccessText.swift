import PosternCore

/// What a route asks of its callers, in words. The same words in `routes`, `check` and `explain`.
enum AccessText {
    /// One line: `scopes trade:read and account:read; claim is_trusted is true`.
    static func needs(_ access: Access) -> String {
        switch access {
        case .open: return "nothing (public)"
        case .denied: return "denied to everybody"
        case .optional: return "nothing (optional: a token, if sent, must be valid)"
        case .required(let requirement):
            let parts = Self.parts(requirement)
            return parts.isEmpty ? "a valid token" : parts.joined(separator: "; ")
        }
    }

    private static func parts(_ requirement: Requirement) -> [String] {
        var parts: [String] = []
        if !requirement.scopes.isEmpty {
            let noun = requirement.scopes.count == 1 ? "scope" : "scopes"
            parts.append("\(noun) \(Self.list(requirement.scopes, "and"))")
        }
        if !requirement.anyScope.isEmpty { parts.append("any scope of \(Self.list(requirement.anyScope, "or"))") }
        if !requirement.roles.isEmpty { parts.append("role \(Self.list(requirement.roles, "or"))") }
        for rule in requirement.claims { parts.append("claim \(rule.name) is \(Self.words(rule.expectation))") }
        if !requirement.issuers.isEmpty { parts.append("issuer \(Self.list(requirement.issuers, "or"))") }
        return parts
    }

    private static func words(_ expectation: ClaimRule.Expectation) -> String {
        switch expectation {
        case .pathParameter(let name): "the path's {\(name)}"
        case .oneOf(let values): Self.list(values.map { $0.string ?? $0.serialized() }, "or")
        }
    }

    /// `a`, `a and b`, `a, b and c`.
    static func list(_ items: [String], _ conjunction: String) -> String {
        guard items.count > 1, let last = items.last else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
    }
}

extension RoutePattern {
    /// The methods as written: `GET|POST`, `ANY`.
    var methodsText: String {
        switch self.methods {
        case .any: "ANY"
        case .named(let names): names.joined(separator: "|")
        }
    }

    /// The path as written.
    var pathText: String {
        self.text.firstIndex(of: " ").map { String(self.text[self.text.index(after: $0)...]) } ?? self.text
    }
}
