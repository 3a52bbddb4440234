import PosternCore
import PosternCrypto

// Steps 5 and 6: who the caller is, and whether the route takes them.
extension Explainer {
    // MARK: - token

    mutating func verify(_ bytes: RawSpan, _ range: ByteRange) throws(Refusal) -> Principal {
        if case .claims(let claims) = self.caller { return try self.believe(claims) }
        let token = bytes.slice(range)
        let compact = try? CompactToken(token)
        var facts = compact.map { [TokenFacts.summary(of: $0)] } ?? []
        let index = compact?.issuer.flatMap { self.issuer(named: $0) }
        if let index {
            facts.append(TokenFacts.issuer(self.snapshot.issuers[index].rules))
            facts += self.keys[index].facts
        }
        let verdict = TokenVerification.verify(
            token, snapshot: self.snapshot, keys: self.keys.map(\.set), now: self.now)
        let problem: TokenProblem
        switch verdict {
        case .introspect(let indices):
            return try self.introspected(indices, facts)
        case .valid(let principal, let issuer):
            facts += ["the signature is valid", TokenFacts.expiry(principal, now: self.now)]
            facts += TokenFacts.principal(principal) + self.revocationFacts(self.snapshot.issuers[issuer])
            self.explanation.add(.token, .passed, facts)
            return principal
        case .invalid(let found): problem = found
        case .unknownKey: problem = .unknownKey
        case .unavailable: problem = .issuerUnavailable
        }
        facts.append("\(problem.description) (\(problem.code))")
        if let compact {
            let rules = index.map { self.snapshot.issuers[$0].rules }
            facts += TokenFacts.reasons(
                for: problem, claims: compact.claims, rules: rules, keys: index.map { self.keys[$0].set },
                issuers: self.snapshot.issuers.map(\.rules), now: self.now)
        }
        return try self.refuseToken(problem, facts)
    }

    /// The token's issuer, or one of several, has to be asked.
    private mutating func introspected(_ indices: [Int], _ facts: [String]) throws(Refusal) -> Principal {
        let names = indices.map { self.snapshot.issuers[$0].rules.name }
        var facts =
            facts + ["introspection decides: \(AccessText.list(names, "then")) to be asked"]
            + (self.introspection?.facts ?? [])
        switch self.introspection?.verdict ?? .unavailable(deniedBy: []) {
        case .accepted(let accepted):
            facts.append(TokenFacts.expiry(accepted.principal, now: self.now))
            facts += TokenFacts.principal(accepted.principal) + self.revocationFacts(accepted.issuer)
            self.explanation.add(.token, .passed, facts)
            return accepted.principal
        case .rejected(let problem, _, _):
            return try self.refuseToken(problem, facts + ["\(problem.description) (\(problem.code))"])
        case .unavailable:
            self.explanation.add(.token, .refused, facts)
            throw .issuerUnavailable
        }
    }

    /// What stands here may be out of date the next moment, and is the proxy's to look at.
    private func revocationFacts(_ issuer: TrustedIssuer) -> [String] {
        issuer.heedsRevocations ? ["whether it was revoked is not looked at here"] : []
    }

    private mutating func refuseToken(_ problem: TokenProblem, _ facts: [String]) throws(Refusal) -> Principal {
        self.explanation.add(.token, .refused, facts)
        throw Refusal(problem)
    }

    private func issuer(named name: String) -> Int? {
        self.snapshot.issuers.firstIndex { $0.rules.issuer?.hasSameBytes(as: name) ?? false }
            ?? self.snapshot.issuers.firstIndex { $0.introspection != nil && $0.rules.issuer == nil }
    }

    /// Takes claims for verified. What they leave out of `iss`, `aud` and `exp` is filled in, so that a question about a
    /// scope need not bring a whole token; what they say, null included, is judged as it is.
    private mutating func believe(_ claims: JSONValue) throws(Refusal) -> Principal {
        var facts = ["no signature is checked: the claims are taken as a valid token's"]
        let rules = self.snapshot.issuers.map(\.rules)
        let named = claims["iss"].map { $0.string.flatMap { self.issuer(named: $0) } } ?? rules.indices.first
        guard let named else {
            facts.append("\(TokenProblem.unknownIssuer.description) (\(TokenProblem.unknownIssuer.code))")
            facts += TokenFacts.reasons(for: .unknownIssuer, claims: claims, issuers: rules, now: self.now)
            return try self.refuseToken(.unknownIssuer, facts)
        }
        let issuer = rules[named]
        let (whole, filled) = TokenFacts.filled(claims, for: issuer, now: self.now)
        facts.append(TokenFacts.issuer(issuer))
        if !filled.isEmpty {
            facts.append("filled in, because the claims leave it out: \(filled.joined(separator: ", "))")
        }
        do throws(TokenProblem) {
            let principal = try self.principal(of: self.snapshot.issuers[named], whole)
            if !filled.contains("exp") { facts.append(TokenFacts.expiry(principal, now: self.now)) }
            facts += TokenFacts.principal(principal)
            self.explanation.add(.token, .passed, facts)
            return principal
        } catch {
            facts.append("\(error.description) (\(error.code))")
            facts += TokenFacts.reasons(for: error, claims: whole, rules: issuer, issuers: rules, now: self.now)
            return try self.refuseToken(error, facts)
        }
    }

    private func principal(of issuer: TrustedIssuer, _ claims: JSONValue) throws(TokenProblem) -> Principal {
        if issuer.introspection == nil {
            return try ClaimRules.principal(rules: issuer.rules, claims: claims, now: self.now)
        }
        return try IntrospectionRules.principal(rules: issuer.rules, claims: claims, now: self.now)
    }

    // MARK: - policy

    mutating func authorize(_ bytes: RawSpan, _ token: VerifiedToken) throws(Refusal) -> Permit {
        let gate = self.snapshot.gate
        let decision = gate.authorize(route: self.route, token: token, bytes: bytes, captures: self.captures)
        var step = Explanation.Step(stage: .policy, outcome: .passed)
        step.conditions = gate.policy.explain(
            route: self.route, principal: token.principal, bytes: bytes, captures: self.captures)
        if step.conditions.isEmpty { step.facts.append("a valid token is enough") }
        if step.conditions.contains(where: \.byAdmin) {
            step.facts.append("the caller is an admin, who passes every scope, role and claim rule")
        }
        switch decision {
        case .success(let permit):
            self.explanation.steps.append(step)
            return permit
        case .failure(let refusal):
            step.outcome = .refused
            step.facts.append(refusal.detail)
            self.explanation.steps.append(step)
            throw refusal
        }
    }

    // MARK: - identity

    /// What the proxy does once for each token, before the route's rules: the identity lines are made.
    mutating func makeReady(_ principal: Principal) throws(Refusal) -> VerifiedToken {
        switch self.snapshot.gate.verifiedToken(for: principal) {
        case .success(let token):
            return token
        case .failure(let refusal):
            self.explanation.add(.policy, .notReached)
            self.explanation.add(.identity, .refused, [refusal.detail])
            throw refusal
        }
    }

    mutating func noteIdentity(_ bytes: RawSpan, _ token: VerifiedToken) {
        let lines = String(decoding: token.identity, as: UTF8.self).split(separator: "\r\n").map(String.init)
        let facts = lines.isEmpty ? ["no header: the token has no claim that one is made of"] : lines
        self.explanation.add(.identity, .passed, facts + self.strippedFacts(bytes))
    }
}
