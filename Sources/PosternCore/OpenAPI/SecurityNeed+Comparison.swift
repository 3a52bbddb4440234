extension SecurityNeed {
    /// How a rule of proxy.yaml stands towards what the document asks.
    enum Standing: Equatable {
        /// It lets the same callers through, or the document does not say whom.
        case same
        /// It lets callers through whom the document keeps out.
        case weaker
        /// It keeps callers out whom the document lets through, and no others.
        case stricter
        /// What the document asks cannot be checked by the proxy, and the rule asks for nothing.
        case leftToService
    }

    /// Compares by meaning: a rule that asks for all scopes of one alternative is not weaker than both.
    func standing(of access: Access) -> Standing {
        guard case .oneOf(let alternatives) = self else { return .same }
        let asks = alternatives.filter { !$0.isAnonymous }
        let isOpen = asks.count < alternatives.count || asks.isEmpty
        switch access {
        case .denied: return .stricter
        case .open, .optional:
            if isOpen { return .same }
            return asks.allSatisfy(\.schemes.isEmpty) ? .leftToService : .weaker
        case .required(let requirement):
            if isOpen { return .stricter }
            let bearing = asks.filter { !$0.schemes.isEmpty }
            guard !bearing.isEmpty else { return .stricter }
            guard Self.isEnough(requirement, for: bearing) else { return .weaker }
            return Self.isNeeded(requirement, for: bearing) ? .same : .stricter
        }
    }

    /// Whether whoever meets the requirement gets through by the document.
    private static func isEnough(_ requirement: Requirement, for alternatives: [Alternative]) -> Bool {
        let sets = alternatives.map(\.schemes).unique.map { schemes in
            alternatives.filter { $0.schemes == schemes }.map(\.scopes)
        }
        // The least that callers can have: one more of `any_scope`.
        let callers =
            requirement.anyScope.isEmpty
            ? [Set(requirement.scopes)] : requirement.anyScope.map { Set(requirement.scopes + [$0]) }
        func isEnough(_ group: [[String]]) -> Bool {
            callers.allSatisfy { caller in group.contains { caller.isSuperset(of: $0) } }
        }
        // Only by their issuers can tokens of different schemes be told apart.
        return requirement.issuers.isEmpty ? sets.allSatisfy(isEnough) : sets.contains(where: isEnough)
    }

    /// Whether everybody who gets through by the document meets the requirement.
    private static func isNeeded(_ requirement: Requirement, for alternatives: [Alternative]) -> Bool {
        guard requirement.roles.isEmpty, requirement.claims.isEmpty, requirement.issuers.isEmpty else { return false }
        return alternatives.allSatisfy { alternative in
            let scopes = Set(alternative.scopes)
            return scopes.isSuperset(of: requirement.scopes)
                && (requirement.anyScope.isEmpty || !scopes.isDisjoint(with: requirement.anyScope))
        }
    }
}
