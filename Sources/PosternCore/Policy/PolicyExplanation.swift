/// One condition of a route and whether a principal meets it: a line of `postern explain`.
public struct ConditionOutcome: Sendable, Equatable {
    /// Which part of the rule the condition stands in.
    public enum Kind: Sendable, Equatable {
        case scope, anyScope, role, claim, issuer
    }

    public var kind: Kind
    /// The condition in words, with the names of proxy.yaml.
    public var text: String
    public var held: Bool
    /// Held only because the caller is an admin.
    public var byAdmin: Bool

    public init(kind: Kind, text: String, held: Bool, byAdmin: Bool = false) {
        self.kind = kind
        self.text = text
        self.held = held
        self.byAdmin = byAdmin
    }
}

extension PolicyCatalogue {
    /// Every condition of a route, in the order in which `decide` asks them; the route is permitted exactly if all are
    /// held. Empty for routes that ask nothing of a caller (and for denied ones). Allocates.
    public func explain(
        route: Int, principal: Principal, bytes: RawSpan, captures: Captures
    ) -> [ConditionOutcome] {
        guard let requirement = self.required(route), case .required(let compiled) = self.compiled(route) else {
            return []
        }
        let standing = self.standing(of: principal)
        var outcomes: [ConditionOutcome] = []
        func add(_ kind: ConditionOutcome.Kind, _ text: String, _ held: Bool) {
            let byAdmin = !held && standing.admin && kind != .issuer
            outcomes.append(ConditionOutcome(kind: kind, text: text, held: held || byAdmin, byAdmin: byAdmin))
        }
        func holds(_ names: [String], _ kind: PolicyVocabulary.Kind) -> Bool {
            names.contains { standing.conditions.contains(self.vocabulary.number(of: kind, $0)) }
        }
        for scope in requirement.scopes { add(.scope, "scope \(scope)", holds([scope], .scope)) }
        if !requirement.anyScope.isEmpty {
            let text = "one of the scopes \(requirement.anyScope.joined(separator: " "))"
            add(.anyScope, text, holds(requirement.anyScope, .scope))
        }
        if !requirement.roles.isEmpty {
            let text = "one of the roles \(requirement.roles.joined(separator: " "))"
            add(.role, text, holds(requirement.roles, .role))
        }
        var binding = Int(compiled.firstBinding)
        for rule in requirement.claims {
            switch rule.expectation {
            case .oneOf(let values):
                let predicate = ClaimPredicate(selector: rule.selector, accepted: values)
                add(.claim, "claim \(rule.name) is \(Self.words(values))", predicate.holds(in: principal.claims))
            case .pathParameter(let name):
                let held = self.holds(self.bindings[binding], standing, bytes, captures)
                binding += 1
                add(.claim, "claim \(rule.name) is the path's {\(name)}", held)
            }
        }
        if !requirement.issuers.isEmpty {
            let text = "issuer is one of \(requirement.issuers.joined(separator: " "))"
            add(.issuer, text, holds(requirement.issuers, .issuer))
        }
        return outcomes
    }

    private static func words(_ values: [JSONValue]) -> String {
        let texts = values.map { value in
            switch value {
            case .null: "null"
            case .bool(let flag): flag ? "true" : "false"
            case .number(_, let text): text
            case .string(let text): "\"\(text)\""
            case .array, .object: "a structure, which never matches"
            }
        }
        return texts.isEmpty ? "one of no values, which never matches" : texts.joined(separator: " or ")
    }
}
