/// Every route's access rule, compiled once per load. A route is the index of its pattern, as in `RouteTable`;
/// `PolicyCatalogue.undeclared` is what no route declares.
public struct PolicyCatalogue: Sendable {
    /// The route of requests that no pattern matches: `default` decides.
    public static let undeclared = -1

    let vocabulary: PolicyVocabulary
    let accesses: [CompiledAccess]
    let requirements: [Requirement?]
    let defaultAccess: CompiledAccess
    /// Conditions beyond the words in `accesses`.
    let words: ConditionWords
    /// The bindings of all requirements.
    let bindings: [ClaimBinding]
    /// Names this policy's numbering of conditions; a standing made under another one is refused.
    let fingerprint: Int

    /// Compiles the rules.
    ///
    /// - Parameters:
    ///   - accesses: pattern and rule of each route, in the order of the `RouteTable`'s patterns.
    ///   - defaultAccess: `default` of proxy.yaml: `.denied`, `.open`, or `.required(Requirement())` for `authenticated`.
    public init(_ accesses: [(pattern: RoutePattern, access: Access)], default defaultAccess: Access = .denied) {
        var compiler = PolicyCompiler()
        for (pattern, access) in accesses { compiler.add(access, pattern) }
        compiler.add(defaultAccess, nil)
        var compiled = compiler.finish()
        self.defaultAccess = compiled.accesses.popLast() ?? .denied
        self.accesses = compiled.accesses
        self.words = compiled.words
        self.bindings = compiler.bindings
        self.vocabulary = compiler.vocabulary
        self.fingerprint = compiler.vocabulary.fingerprint
        self.requirements = accesses.map { $0.access.requirement }
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
        var bound = BoundTexts()
        for selector in self.vocabulary.bound { bound.append(Self.texts(of: selector, in: principal.claims)) }
        return Standing(
            conditions: conditions, bound: bound, admin: principal.admin == true, vocabulary: self.fingerprint)
    }

    /// What a claim holds that a path parameter can equal: strings and, by their text in the token, numbers.
    private static func texts(of selector: ClaimSelector, in claims: JSONValue) -> [[UInt8]] {
        guard let value = selector.value(in: claims) else { return [] }
        return ClaimPredicate.candidates(of: value).compactMap { candidate in
            switch candidate {
            case .string(let text), .number(_, let text): [UInt8](text.utf8)
            default: nil
            }
        }
    }
}

extension Access {
    /// The requirement, where there is one.
    public var requirement: Requirement? {
        if case .required(let requirement) = self { requirement } else { nil }
    }
}
