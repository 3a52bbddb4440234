import PosternCore
import PosternCrypto

/// Revokes access tokens of this issuer (RFC 7009): in the store first, then everywhere.
struct RevocationService: Sendable {
    /// What became of a request that was not refused.
    enum Outcome: Equatable {
        /// The token is revoked for good. `isPublished` is nil where nothing is published, and false while Redis does
        /// not take it.
        case revoked(tokenID: String, isPublished: Bool?)
        /// It is no token of this issuer, or one that has expired: there is nothing to revoke.
        case ignored(TokenProblem)
    }

    /// Whoever has this scope may revoke every client's tokens.
    static let adminScope = "admin:clients"
    /// For how many seconds after `exp` a token may still be accepted by a proxy whose clock is behind or whose
    /// `leeway` is large: so long it can be revoked, and so long the revocation is kept.
    static let leeway = 300.0

    let store: any IssuerStore
    let keys: KeyRing
    /// Nil without Redis.
    let publisher: RevocationPublisher?
    let clock: IssuerClock

    /// Returns when the revocation is durable, and Redis was tried once.
    ///
    /// Throws `TokenRefusal.issuedToAnother` if the token is neither the client's own nor the client an administrator,
    /// or what the store throws.
    func revoke(
        _ token: String, by client: ServiceClient, issuer: String, audit: AuditEntry
    ) async throws -> Outcome {
        let now = self.clock.now()
        let principal: Principal
        switch self.validate(Array(token.utf8), issuer: issuer, now: now) {
        case .valid(let found): principal = found
        case .invalid(let problem): return .ignored(problem)
        case .unknownKey: return .ignored(.unknownKey)
        }
        guard let tokenID = principal.tokenID else { return .ignored(.malformedClaim) }
        guard principal.client == client.clientID || client.scopes.contains(Self.adminScope) else {
            throw TokenRefusal.issuedToAnother
        }
        let until = (principal.expiresAt + Self.leeway).rounded(.up)
        try await self.store.addRevocation(Revocation(.tokenID(tokenID)), until: Int(until), now: now, audit: audit.about("token:\(tokenID)"))
        return .revoked(tokenID: tokenID, isPublished: await self.publisher?.publish())
    }

    private func validate(_ token: [UInt8], issuer: String, now: Double) -> Validation {
        let rules = IssuerRules(
            name: "own", issuer: issuer, audiences: nil, algorithms: SignatureAlgorithm.ofIssuer, leeway: Self.leeway,
            tokenTypes: ["at+jwt"])
        return LocalValidation(verifier: OpenSSLVerifier())
            .check(bytes: token.span.bytes, rules: rules, keys: self.keys.verification, now: now)
    }
}

extension SignatureAlgorithm {
    /// What this issuer signs with.
    static let ofIssuer: [SignatureAlgorithm] = [.rs256, .es256, .eddsa]
}
