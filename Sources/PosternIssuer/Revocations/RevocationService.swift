import PosternCore
import PosternCrypto

/// Revokes tokens of this issuer (RFC 7009): in the store first, then everywhere.
struct RevocationService: Sendable {
    /// What became of a request that was not refused.
    enum Outcome: Equatable {
        /// The token is revoked for good. `isPublished` is nil where nothing is published, and false while Redis does
        /// not take it.
        case revoked(tokenID: String, isPublished: Bool?)
        /// It was a refresh token: its session is over, and the session's access tokens are revoked (section 2.1).
        case sessionEnded(userID: String, isPublished: Bool?)
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
    let refreshTokens: RefreshTokenFormat
    /// Nil without Redis.
    let publisher: RevocationPublisher?
    let clock: IssuerClock
    let audit: AuditLog

    /// Returns when the revocation is durable, and Redis was tried once.
    ///
    /// Throws `TokenRefusal.issuedToAnother` if it is not the caller's to revoke, or what the store throws.
    func revoke(
        _ token: String, by caller: OAuthCaller, issuer: String, audit: AuditEntry
    ) async throws -> Outcome {
        if token.hasPrefix(RefreshTokenFormat.prefix) { return try await self.endSession(token, caller, audit) }
        let now = self.clock.now()
        let principal: Principal
        switch self.validate(Array(token.utf8), issuer: issuer, now: now) {
        case .valid(let found): principal = found
        case .invalid(let problem): return .ignored(problem)
        case .unknownKey: return .ignored(.unknownKey)
        }
        guard let tokenID = principal.tokenID else { return .ignored(.malformedClaim) }
        let entry = audit.about("token:\(tokenID)")
        let isUsers = principal.claims["username"] != nil
        guard Self.may(caller, revoke: principal.client, isUsers: isUsers) else { throw self.refuse(entry) }
        let until = (principal.expiresAt + Self.leeway).rounded(.up)
        try await self.store.addRevocation(
            Revocation(.tokenID(tokenID)), until: Int(until), now: now, audit: entry)
        self.audit.changed(entry)
        return .revoked(tokenID: tokenID, isPublished: await self.publisher?.publish())
    }

    private func endSession(_ token: String, _ caller: OAuthCaller, _ audit: AuditEntry) async throws -> Outcome {
        guard let digest = self.refreshTokens.digest(token),
            let (session, _) = try await self.store.session(ofToken: digest)
        else { return .ignored(.malformed) }
        let entry = audit.about("user:\(session.userID)")
        guard Self.may(caller, revoke: session.clientID, isUsers: true) else { throw self.refuse(entry) }
        try await self.store.endSession(session.id, now: self.clock.now(), audit: entry)
        self.audit.changed(entry)
        return .sessionEnded(userID: session.userID, isPublished: await self.publisher?.publish())
    }

    /// A client may revoke what was issued to it or through it, an administrator everything, a service what is a user's.
    private static func may(_ caller: OAuthCaller, revoke clientID: String?, isUsers: Bool) -> Bool {
        switch caller {
        case .client(let client): clientID == client.clientID || client.scopes.contains(Self.adminScope)
        case .serviceKey: isUsers
        }
    }

    private func refuse(_ entry: AuditEntry) -> TokenRefusal {
        var entry = entry
        entry.isAllowed = false
        entry.reason = "issued_to_another"
        self.audit.record(entry)
        return .issuedToAnother
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
