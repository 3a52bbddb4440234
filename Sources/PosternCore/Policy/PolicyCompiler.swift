/// Numbers the conditions of all routes and turns each rule into bits. Runs at load.
struct PolicyCompiler {
    private(set) var vocabulary = PolicyVocabulary()
    private(set) var bindings: [ClaimBinding] = []
    private var accesses: [CompiledAccess] = []
    /// The sets of each requirement, in the order of `CompiledRequirement.Part`.
    private var sets: [[ConditionSet]] = []

    /// Adds a route's rule; without a pattern it has no path parameters.
    mutating func add(_ access: Access, _ pattern: RoutePattern?) {
        switch access {
        case .open: self.accesses.append(.open)
        case .denied: self.accesses.append(.denied)
        case .optional: self.accesses.append(.optional)
        case .required(let requirement): self.accesses.append(.required(self.compile(requirement, pattern)))
        }
    }

    /// The rules in the order they were added.
    func finish() -> (accesses: [CompiledAccess], words: ConditionWords) {
        var rows: [Int32] = []
        let words = ConditionWords(self.sets, rows: &rows)
        var row = rows.makeIterator()
        let accesses = self.accesses.map { access in
            guard case .required(var requirement) = access else { return access }
            requirement.more = row.next() ?? -1
            return .required(requirement)
        }
        return (accesses, words)
    }

    private mutating func compile(_ requirement: Requirement, _ pattern: RoutePattern?) -> CompiledRequirement {
        var result = CompiledRequirement()
        result.firstBinding = Int32(truncatingIfNeeded: self.bindings.count)
        let sets = CompiledRequirement.Part.allCases.map { part in
            switch part {
            case .scopes: self.set(.scope, requirement.scopes)
            case .anyScope: self.set(.scope, requirement.anyScope)
            case .roles: self.set(.role, requirement.roles)
            case .claims: self.claims(requirement.claims, pattern)
            case .issuers: self.set(.issuer, requirement.issuers)
            }
        }
        result.endOfBindings = Int32(truncatingIfNeeded: self.bindings.count)
        result.scopes = sets[CompiledRequirement.Part.scopes.rawValue].first
        result.anyScope = sets[CompiledRequirement.Part.anyScope.rawValue].first
        result.roles = sets[CompiledRequirement.Part.roles.rawValue].first
        result.claims = sets[CompiledRequirement.Part.claims.rawValue].first
        result.issuers = sets[CompiledRequirement.Part.issuers.rawValue].first
        self.sets.append(sets)
        return result
    }

    private mutating func set(_ kind: PolicyVocabulary.Kind, _ names: [String]) -> ConditionSet {
        var set = ConditionSet()
        for name in names { set.insert(self.vocabulary.add(kind, name)) }
        return set
    }

    /// The predicates as conditions; what is bound to the path is added to `bindings`.
    private mutating func claims(_ rules: [ClaimRule], _ pattern: RoutePattern?) -> ConditionSet {
        var set = ConditionSet()
        for rule in rules {
            switch rule.expectation {
            case .oneOf(let values):
                // Without values nothing meets the predicate, and so nobody the route.
                set.insert(self.vocabulary.add(ClaimPredicate(selector: rule.selector, accepted: values)))
            case .pathParameter(let name):
                let parameters = pattern?.parameters ?? []
                let parameter = parameters.firstIndex { $0.utf8.elementsEqual(name.utf8) } ?? -1
                let isRest = pattern?.hasRest == true && parameter == parameters.count - 1
                self.bindings.append(
                    ClaimBinding(
                        claim: self.vocabulary.add(bound: rule.selector), parameter: parameter, isRest: isRest))
            }
        }
        return set
    }
}
