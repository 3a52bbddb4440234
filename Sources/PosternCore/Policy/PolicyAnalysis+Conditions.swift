// Conditions that nobody can meet, and conditions that say nothing.

extension PolicyAnalysis {
    mutating func checkConditions(of index: Int, _ requirement: Requirement) {
        for scope in requirement.scopes + requirement.anyScope where !Self.isScope(scope) {
            self.warn(
                .unreachable, index,
                "\"\(scope)\" is not one scope, so no token has it; write several scopes as a list: [a, b]")
        }
        for role in requirement.roles where role.isEmpty {
            self.warn(.unreachable, index, "an empty role name is held by nobody; remove it")
        }
        self.checkRepeats(of: index, "scopes", requirement.scopes)
        self.checkRepeats(of: index, "any_scope", requirement.anyScope)
        self.checkRepeats(of: index, "roles", requirement.roles)
        self.checkRepeats(of: index, "issuers", requirement.issuers)
        for scope in requirement.anyScope where requirement.scopes.contains(scope) {
            self.warn(
                .suspicious, index,
                "any_scope says nothing, because scopes asks for \(scope) anyway; remove one of the two")
            break
        }
        for rule in requirement.claims { self.checkClaim(of: index, rule) }
    }

    /// A `scope-token` of RFC 6749 section 3.3.
    private static func isScope(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
    }

    private mutating func checkRepeats(of index: Int, _ key: String, _ names: [String]) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            self.warn(.suspicious, index, "\(key) names \(name) twice")
        }
    }

    private mutating func checkClaim(of index: Int, _ rule: ClaimRule) {
        switch rule.expectation {
        case .oneOf(let values):
            let possible = values.filter { value in
                switch value {
                case .string, .number, .bool: true
                case .null, .array, .object: false
                }
            }
            if possible.isEmpty {
                self.warn(
                    .unreachable, index,
                    "nobody meets the rule for the claim \(rule.name): it accepts no string, number or boolean")
            }
        case .pathParameter(let name):
            if !self.routes[index].pattern.parameters.contains(name) {
                self.warn(
                    .unreachable, index,
                    "nobody meets the rule for the claim \(rule.name): the path has no parameter {\(name)}")
            }
        }
    }
}
