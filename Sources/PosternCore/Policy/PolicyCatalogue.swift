/// Every route's access rule, compiled once per load. A route is the index of its pattern, as in `RouteTable`;
/// `PolicyCatalogue.undeclared` is what no route declares.
public struct PolicyCatalogue: Sendable {
    /// The route of requests that no pattern matches: `default` decides.
    public static let undeclared = -1

    let vocabulary: PolicyVocabulary
    let accesses: [CompiledAccess]
    let requirements: [Requirement?]
    let patterns: [RoutePattern]
    let defaultAccess: CompiledAccess
    /// Names this policy's numbering of conditions; a standing made under another one is refused.
    let fingerprint: Int

    /// Compiles the rules.
    ///
    /// - Parameters:
    ///   - accesses: pattern and rule of each route, in the order of the `RouteTable`'s patterns.
    ///   - defaultAccess: `default` of proxy.yaml: `.denied`, `.open`, or `.required(Requirement())` for `authenticated`.
    public init(_ accesses: [(pattern: RoutePattern, access: Access)], default defaultAccess: Access = .denied) {
        var vocabulary = PolicyVocabulary()
        self.accesses = accesses.map { Self.compile($0.access, $0.pattern, &vocabulary) }
        self.requirements = accesses.map { $0.access.requirement }
        self.patterns = accesses.map { $0.pattern }
        self.defaultAccess = Self.compile(defaultAccess, nil, &vocabulary)
        self.vocabulary = vocabulary
        self.fingerprint = vocabulary.fingerprint
    }

    /// The rule of a route; `default` for `undeclared`; denied for an index that is no route.
    @inline(__always)
    public func compiled(_ route: Int) -> CompiledAccess {
        if route >= 0, route < self.accesses.count { return self.accesses[route] }
        return route == Self.undeclared ? self.defaultAccess : .denied
    }

    /// What the route asks, for the body and the challenge of a refusal; nil where it asks nothing of a caller.
    public func required(_ route: Int) -> Requirement? {
        route >= 0 && route < self.requirements.count ? self.requirements[route] : nil
    }

    /// Holds a principal against every condition. Once per verified token: allocates.
    public func standing(of principal: Principal) -> Standing {
        var conditions = ConditionSet()
        for scope in principal.scopes { conditions.insert(self.vocabulary.number(of: .scope, scope)) }
        for role in principal.roles { conditions.insert(self.vocabulary.number(of: .role, role)) }
        conditions.insert(self.vocabulary.number(of: .issuer, principal.issuer))
        for claim in self.vocabulary.claims where claim.predicate.holds(in: principal.claims) {
            conditions.insert(claim.condition)
        }
        let bound = self.vocabulary.bound.map { Self.texts(of: $0, in: principal.claims) }
        return Standing(
            conditions: conditions, bound: bound, admin: principal.admin == true, vocabulary: self.fingerprint)
    }

    /// What a claim holds that a path parameter can equal: strings and, by their text in the token, numbers.
    static func texts(of selector: ClaimSelector, in claims: JSONValue) -> [[UInt8]] {
        guard let value = selector.value(in: claims) else { return [] }
        return ClaimPredicate.candidates(of: value).compactMap { candidate in
            switch candidate {
            case .string(let text), .number(_, let text): text.isEmpty ? nil : [UInt8](text.utf8)
            default: nil
            }
        }
    }
}

// MARK: - Compiling

extension PolicyCatalogue {
    private static func compile(
        _ access: Access, _ pattern: RoutePattern?, _ vocabulary: inout PolicyVocabulary
    ) -> CompiledAccess {
        switch access {
        case .open: return .open
        case .denied: return .denied
        case .optional: return .optional
        case .required(let requirement): return .required(Self.compile(requirement, pattern, &vocabulary))
        }
    }

    private static func compile(
        _ requirement: Requirement, _ pattern: RoutePattern?, _ vocabulary: inout PolicyVocabulary
    ) -> CompiledRequirement {
        var result = CompiledRequirement()
        for scope in requirement.scopes { result.scopes.insert(vocabulary.add(.scope, scope)) }
        for scope in requirement.anyScope { result.anyScope.insert(vocabulary.add(.scope, scope)) }
        for role in requirement.roles { result.roles.insert(vocabulary.add(.role, role)) }
        for issuer in requirement.issuers { result.issuers.insert(vocabulary.add(.issuer, issuer)) }
        for rule in requirement.claims {
            switch rule.expectation {
            case .oneOf(let values):
                // Without values nothing meets the predicate, and so nobody the route.
                result.claims.insert(vocabulary.add(ClaimPredicate(selector: rule.selector, accepted: values)))
            case .pathParameter(let name):
                let parameter = pattern?.parameters.firstIndex { $0.utf8.elementsEqual(name.utf8) } ?? -1
                let isRest = pattern.map { $0.hasRest && parameter == $0.parameters.count - 1 } ?? false
                result.bindings.append(
                    CompiledRequirement.Binding(
                        claim: vocabulary.add(bound: rule.selector), parameter: parameter, isRest: isRest))
            }
        }
        return result
    }
}

extension Access {
    /// The requirement, where there is one.
    public var requirement: Requirement? {
        if case .required(let requirement) = self { requirement } else { nil }
    }
}
