import PosternCore

/// What introspection found out about a token. Made once for all requests that wait for it, on whatever event loop.
enum IntrospectionVerdict: Sendable {
    /// An issuer accepts it.
    case accepted(Accepted)
    /// No issuer does. `until`: Unix seconds for which that is remembered.
    case rejected(TokenProblem, until: Double)
    /// Nobody knows.
    case unavailable

    struct Accepted: Sendable {
        var issuer: TrustedIssuer
        var principal: Principal
        var terms: TokenTerms
        var source: VerifiedToken.Source
    }
}

/// A verdict that a request waited for, as one reference: a connection has room for it all the time, and forgets it with
/// each request.
final class IntrospectionFinding: Sendable {
    let verdict: IntrospectionVerdict

    init(_ verdict: IntrospectionVerdict) {
        self.verdict = verdict
    }
}

extension TrustedIssuer {
    /// The verdict on what this issuer said.
    ///
    /// - Parameters:
    ///   - fetchedAt: When it said so, in Unix seconds: an answer from Redis keeps its age.
    ///   - now: Unix seconds.
    func verdict(
        on claims: JSONValue, fetchedAt: Double, source: VerifiedToken.Source, digest: TokenDigest, now: Double
    ) -> IntrospectionVerdict {
        guard let introspection else { return .unavailable }
        do throws(TokenProblem) {
            let principal = try IntrospectionRules.principal(rules: self.rules, claims: claims, now: now)
            let freshUntil = fetchedAt + Double(introspection.cache) / 1e9
            let terms = TokenTerms(
                freshUntil: freshUntil, staleUntil: freshUntil + Double(introspection.staleIfError) / 1e9,
                revocation: self.heedsRevocations ? RevocationFacts(principal: principal, digest: digest) : nil,
                needsRevocations: self.revocation == .required)
            return .accepted(.init(issuer: self, principal: principal, terms: terms, source: source))
        } catch {
            return .rejected(error, until: now + Double(introspection.negativeCache) / 1e9)
        }
    }
}

extension LoopContext {
    /// Takes over a verdict that requests on another event loop have waited for.
    func learn(_ verdict: IntrospectionVerdict, _ token: [UInt8]) {
        let now = self.wallTime
        switch verdict {
        case .accepted(let accepted):
            guard self.snapshot.issuers.contains(accepted.issuer) else { return }
            _ = self.intake.accept(
                accepted.principal, token: token.span.bytes, terms: accepted.terms, gate: self.snapshot.gate, now: now)
        case .rejected(let problem, let until):
            self.intake.reject(problem, token: token.span.bytes, until: until, now: now)
        case .unavailable:
            break
        }
    }
}
