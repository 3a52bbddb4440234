import PosternCore

/// What introspection found out about a token. Made once for all requests that wait for it, on whatever event loop.
enum IntrospectionVerdict: Sendable {
    /// An issuer accepts it.
    case accepted(Accepted)
    /// No issuer does. `until`: Unix seconds for which that is remembered.
    case rejected(TokenProblem, until: Double, source: VerifiedToken.Source)
    /// Nobody knows; but these issuers, by name, said no.
    case unavailable(deniedBy: [String])

    struct Accepted: Sendable {
        var issuer: TrustedIssuer
        var principal: Principal
        var terms: TokenTerms
        var source: VerifiedToken.Source
    }
}

/// A verdict and who was to be asked for it: under a configuration that would ask others it says nothing. One reference,
/// because a connection has room for it all the time, and forgets it with each request.
final class IntrospectionFinding: Sendable {
    let verdict: IntrospectionVerdict
    /// In order.
    let asked: [TrustedIssuer]

    init(_ verdict: IntrospectionVerdict, asked: [TrustedIssuer]) {
        self.verdict = verdict
        self.asked = asked
    }
}

extension TrustedIssuer {
    /// The verdict on what this issuer said.
    ///
    /// - Parameters:
    ///   - fetchedAt: When it said so, in Unix seconds: an answer from Redis keeps its age.
    ///   - token: its bytes.
    ///   - now: Unix seconds.
    func verdict(
        on claims: JSONValue, fetchedAt: Double, source: VerifiedToken.Source, token: [UInt8], now: Double
    ) -> IntrospectionVerdict {
        guard let introspection else { return .unavailable(deniedBy: []) }
        do throws(TokenProblem) {
            let principal = try IntrospectionRules.principal(rules: self.rules, claims: claims, now: now)
            let freshUntil = fetchedAt + Double(introspection.cache) / 1e9
            var terms = self.terms(for: principal, token: token.span.bytes)
            terms.freshUntil = freshUntil
            terms.staleUntil = freshUntil + Double(introspection.staleIfError) / 1e9
            terms.weight = claims.serialized().utf8.count
            return .accepted(.init(issuer: self, principal: principal, terms: terms, source: source))
        } catch {
            return .rejected(error, until: now + Double(introspection.negativeCache) / 1e9, source: source)
        }
    }
}

extension LoopContext {
    /// Takes over what requests on another event loop have waited for, if the token would be asked about in the same way
    /// here.
    func learn(_ finding: IntrospectionFinding, _ token: [UInt8]) {
        guard case .introspect(let indices) = IssuerChoice.choose(token.span.bytes, among: self.snapshot.candidates),
            indices.map({ self.snapshot.issuers[$0] }) == finding.asked
        else { return }
        let now = self.wallTime
        switch finding.verdict {
        case .accepted(let accepted):
            _ = self.intake.accept(
                accepted.principal, token: token.span.bytes, terms: accepted.terms, gate: self.snapshot.gate, now: now)
        case .rejected(let problem, let until, _):
            self.intake.reject(problem, token: token.span.bytes, until: until, now: now)
        case .unavailable(let issuers):
            self.intake.deny(token.span.bytes, by: issuers)
        }
    }
}
