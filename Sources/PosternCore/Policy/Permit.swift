/// The proof that policy let a request through: the only way on to the service. Nothing outside this file can make one.
public struct Permit: Sendable, Equatable {
    private let number: Int32
    /// Whether a CORS preflight was let through: without a token, whatever the route asks.
    public let isPreflight: Bool

    /// The route; `PolicyCatalogue.undeclared` where `default` let it through.
    @inline(__always)
    public var route: Int { Int(self.number) }

    fileprivate init(route: Int, isPreflight: Bool = false) {
        self.number = Int32(truncatingIfNeeded: route)
        self.isPreflight = isPreflight
    }
}

/// Why a valid token does not get through a route's rules.
public enum DenialKind: Sendable, Equatable, CaseIterable {
    case role
    case claim
    case issuer
    /// The standing was made under another policy, so its bits mean nothing here: the caller has to take
    /// `PolicyCatalogue.standing(of:)` anew. Never the answer to a request when `isCurrent` is asked first.
    case foreignStanding
}

/// What the rules of a route say.
public enum Decision: Sendable, Equatable {
    case permit(Permit)
    /// 403 `insufficient_scope`.
    case insufficientScope
    /// 403 `access_denied`.
    case accessDenied(DenialKind)
    /// 403 `route_denied`, or `route_not_declared` for `PolicyCatalogue.undeclared`.
    case routeDenied
}

// Deny by default: a permit is made in exactly three places, each at the end of conditions that all held. Whatever is
// unknown here (a route out of range, a parameter that the pattern lacks, a standing of another policy) denies.
extension PolicyCatalogue {
    /// The permit of a request without a token: for routes that are public or optional, and nothing else.
    public func permitOpen(route: Int) -> Permit? {
        switch self.compiled(route) {
        case .open, .optional: Permit(route: route)
        case .denied, .required: nil
        }
    }

    /// The permit of a CORS preflight that goes to the service (`preflight: forward`): anywhere but where `deny` stands.
    public func permitPreflight(route: Int) -> Permit? {
        switch self.compiled(route) {
        case .open, .optional, .required: Permit(route: route, isPreflight: true)
        case .denied: nil
        }
    }

    /// The permit of a request that no route declares, with or without a verified token.
    public func permitDefault(standing: Standing?) -> Permit? {
        guard let standing else { return self.permitOpen(route: Self.undeclared) }
        let none = Captures(capacity: 0)
        let decision = self.decide(
            route: Self.undeclared, standing: standing, bytes: [UInt8]().span.bytes, captures: none)
        guard case .permit(let permit) = decision else { return nil }
        return permit
    }

    /// Whether the standing was made under this policy.
    @inline(__always)
    public func isCurrent(_ standing: Standing) -> Bool {
        standing.vocabulary == self.fingerprint
    }

    /// Decides for a caller with a verified token. Compares bits and, for claims bound to the path, bytes; allocates
    /// nothing.
    ///
    /// - Parameters:
    ///   - bytes: what the ranges of `captures` are offsets into.
    ///   - captures: the parameters of this match.
    public func decide(route: Int, standing: Standing, bytes: RawSpan, captures: Captures) -> Decision {
        switch self.compiled(route) {
        case .denied:
            return .routeDenied
        case .open, .optional:
            break
        case .required(let requirement):
            if let refusal = self.refusal(requirement, standing, bytes, captures) { return refusal }
        }
        return .permit(Permit(route: route))
    }

    /// The first condition that does not hold: scopes, then roles, claims, issuers. Nil if all hold.
    @inline(__always)
    private func refusal(
        _ rule: CompiledRequirement, _ standing: Standing, _ bytes: RawSpan, _ captures: Captures
    ) -> Decision? {
        guard self.isCurrent(standing) else { return .accessDenied(.foreignStanding) }
        if !standing.admin {
            guard self.words.all(.scopes, of: rule, in: standing.conditions),
                self.words.any(.anyScope, of: rule, in: standing.conditions)
            else { return .insufficientScope }
            guard self.words.any(.roles, of: rule, in: standing.conditions) else { return .accessDenied(.role) }
            guard self.words.all(.claims, of: rule, in: standing.conditions) else { return .accessDenied(.claim) }
            var i = Int(rule.firstBinding)
            while i < Int(rule.endOfBindings) {
                guard self.holds(self.bindings[i], standing, bytes, captures) else { return .accessDenied(.claim) }
                i &+= 1
            }
        }
        guard self.words.any(.issuers, of: rule, in: standing.conditions) else { return .accessDenied(.issuer) }
        return nil
    }

    /// Whether one of the claim's texts is the percent-decoded text of the path parameter.
    func holds(_ binding: ClaimBinding, _ standing: Standing, _ bytes: RawSpan, _ captures: Captures) -> Bool {
        guard binding.parameter >= 0, binding.parameter < captures.count else { return false }
        let range = captures.range(of: binding.parameter)
        if binding.isRest, bytes.hasEncodedSlash(range) { return false }
        return standing.bound.contains(bytes, range, claim: binding.claim)
    }
}

extension RawSpan {
    /// Whether the range has an escape that stands for `/`.
    fileprivate func hasEncodedSlash(_ range: ByteRange) -> Bool {
        var i = Int(range.start)
        let end = Int(range.end)
        while i < end {
            if self.escapedByte(i, limit: end) == UInt8(ascii: "/") { return true }
            i &+= 1
        }
        return false
    }
}
