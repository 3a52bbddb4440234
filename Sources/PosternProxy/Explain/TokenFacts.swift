import PosternCore
import PosternCrypto

/// What `explain` says of a token: what was found, and beside each refusal what was expected. For operators, so it
/// names values that a client is never told; the token itself, or a part of it as it was sent, is not among them.
enum TokenFacts {
    static func summary(of token: CompactToken) -> String {
        let algorithm = token.algorithm.map(\.rawValue) ?? "an algorithm that is not known here"
        let key = token.keyID.map { ", kid \"\($0)\"" } ?? ", no kid"
        return "a JWT of type \(token.type), signed with \(algorithm)\(key)"
    }

    static func issuer(_ rules: IssuerRules) -> String {
        "issuer \(rules.name): \(Self.name(rules))"
    }

    /// The `iss`, or what an issuer without one takes.
    private static func name(_ rules: IssuerRules) -> String {
        rules.issuer ?? "any token that no other issuer has named in iss"
    }

    static func expiry(_ principal: Principal, now: Double) -> String {
        if principal.expiresAt == .infinity { return "the issuer says of no expiry" }
        return "expires \(TimeText.moment(principal.expiresAt, now: now))"
    }

    /// Who a token speaks for.
    static func principal(_ principal: Principal) -> [String] {
        var facts: [String] = []
        let names: [(String, String?)] = [
            ("user", principal.user), ("name", principal.name), ("client", principal.client),
            ("scopes", principal.scopes.isEmpty ? nil : principal.scopes.joined(separator: " ")),
            ("roles", principal.roles.isEmpty ? nil : principal.roles.joined(separator: ", ")),
        ]
        for case (let name, let value?) in names { facts.append("\(name) \(value)") }
        if principal.scopes.isEmpty { facts.append("no scopes") }
        if principal.admin == true { facts.append("an admin") }
        return facts
    }

    /// The claims with what passes for `iss`, `aud` and `exp` where they are left out, and what was filled in.
    static func filled(_ claims: JSONValue, for rules: IssuerRules, now: Double) -> (JSONValue, [String]) {
        guard case .object(var members) = claims else { return (claims, []) }
        var names: [String] = []
        func fill(_ name: String, _ value: JSONValue?) {
            guard let value, claims[name] == nil else { return }
            members.append(.init(name: name, value: value))
            names.append(name)
        }
        fill("iss", rules.issuer.map { .string($0) })
        fill("aud", rules.audiences?.first.map { .string($0) })
        fill("exp", JSONValue(Int(min(max(0, now), ClaimRules.latestDate - 3600)) + 3600))
        return (.object(members), names)
    }

    /// What a token had, and what it should have had.
    static func reasons(
        for problem: TokenProblem, claims: JSONValue, rules: IssuerRules? = nil, keys: KeySet<PublicKey>? = nil,
        issuers: [IssuerRules], now: Double
    ) -> [String] {
        switch problem {
        case .unknownIssuer:
            let known = issuers.map { "\($0.name): \(Self.name($0))" }
            return ["iss is \(Self.text(claims["iss"]))", "known issuers are \(AccessText.list(known, "and"))"]
        case .algorithmNotAllowed:
            return ["accepted: \(rules.map { $0.algorithms.map(\.rawValue).joined(separator: " ") } ?? "none")"]
        case .wrongType:
            return ["accepted: \(rules.map { $0.tokenTypes.joined(separator: " ") } ?? "none")"]
        case .unknownKey, .noFittingKey:
            return keys.map { ["the keys are \(Self.names(of: $0))"] } ?? []
        case .wrongAudience:
            let accepted = (rules?.audiences ?? []).joined(separator: " ")
            return ["aud is \(Self.text(claims["aud"]))", "accepted: \(accepted)"]
        case .expired: return Self.time("exp", claims, rules, now)
        case .notYetValid: return Self.time("nbf", claims, rules, now)
        case .issuedInTheFuture: return Self.time("iat", claims, rules, now)
        default: return []
        }
    }

    private static func time(_ name: String, _ claims: JSONValue, _ rules: IssuerRules?, _ now: Double) -> [String] {
        guard case .number(let time, _)? = claims[name] else { return [] }
        let leeway = rules.map { "; the leeway is \(TimeText.duration($0.leeway))" } ?? ""
        return ["\(name) is \(TimeText.moment(time, now: now))\(leeway)"]
    }

    private static func names(of keys: KeySet<PublicKey>) -> String {
        let names = keys.keys.map { key in
            let algorithms = key.algorithms.map(\.rawValue).joined(separator: "/")
            return key.keyID.map { "\"\($0)\" (\(algorithms))" } ?? "one without kid (\(algorithms))"
        }
        return AccessText.list(names, "and")
    }

    private static func text(_ value: JSONValue?) -> String {
        value.map { $0.serialized() } ?? "absent"
    }
}
