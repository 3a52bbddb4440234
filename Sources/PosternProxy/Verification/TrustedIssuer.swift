import AsyncHTTPClient
import PosternCore
import PosternCrypto

/// An issuer whose tokens are accepted, made ready for verification.
struct TrustedIssuer: Equatable, Sendable {
    let rules: IssuerRules
    let validation: Configuration.Issuer.Validation
    let revocation: Configuration.Issuer.Revocation
    /// Keys that come with the configuration; nil where they are fetched, or where the issuer is asked.
    let fixedKeys: KeySet<PublicKey>?
    /// How keys are fetched, or the issuer is asked; nil where neither is done.
    let client: HTTPClient.Configuration?

    init(_ issuer: Configuration.Issuer) throws {
        self.rules = issuer.rules
        self.validation = issuer.validation
        self.revocation = issuer.revocation
        switch issuer.validation {
        case .keys(let keys):
            self.fixedKeys = try KeyMaterial.load(keys)
            if case .remote(let remote) = keys {
                self.client = try KeyFetcher.clientConfiguration(remote)
            } else {
                self.client = nil
            }
        case .introspection(let introspection):
            self.fixedKeys = nil
            self.client = try IntrospectionEndpoint.clientConfiguration(introspection)
        }
    }

    static func == (left: TrustedIssuer, right: TrustedIssuer) -> Bool {
        left.rules == right.rules && left.validation == right.validation && left.revocation == right.revocation
    }

    /// For the choice among all issuers.
    var candidate: IssuerChoice.Candidate {
        IssuerChoice.Candidate(issuer: self.rules.issuer, isIntrospected: self.introspection != nil)
    }

    /// Nil where keys decide.
    var introspection: Configuration.Introspection? {
        if case .introspection(let introspection) = self.validation { introspection } else { nil }
    }

    /// Whether a revocation ends this issuer's tokens.
    var heedsRevocations: Bool { self.revocation != .off }

    /// The terms of a verdict as far as revocations go, and no others of a verdict that keys gave.
    ///
    /// - Parameter token: its bytes.
    func terms(for principal: Principal, token: RawSpan) -> TokenTerms {
        guard self.heedsRevocations else { return TokenTerms() }
        var facts = RevocationFacts(
            principal: principal, digest: TokenDigest(of: token),
            twin: TokenTwin.make(of: token).map { TokenDigest(of: $0.span.bytes) })
        if self.introspection != nil { facts.complete(from: token) }
        return TokenTerms(revocation: facts, needsRevocations: self.revocation == .required)
    }
}
