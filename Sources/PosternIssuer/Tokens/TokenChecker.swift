import PosternCore
import PosternCrypto

/// Decides on an access token of this issuer by its signature, its claims and what the store says of its holder now: a
/// change there shows at once.
struct TokenChecker: Sendable {
    let store: any IssuerStore
    let keys: KeyRing
    let clock: IssuerClock

    /// What the token is worth. Throws what the store throws.
    ///
    /// - Parameter issuer: The `iss` that the token has to have.
    func check(_ token: String, issuer: String) async throws -> CheckedToken {
        let now = self.clock.now()
        let rules = IssuerRules(
            name: "own", issuer: issuer, audiences: nil, algorithms: SignatureAlgorithm.ofIssuer, leeway: 0,
            tokenTypes: ["at+jwt"])
        let bytes = Array(token.utf8)
        switch LocalValidation(verifier: OpenSSLVerifier())
            .check(bytes: bytes.span.bytes, rules: rules, keys: self.keys.verification, now: now)
        {
        case .invalid(let problem): return .bad(.token(problem))
        case .unknownKey: return .bad(.token(.unknownKey))
        case .valid(let principal): return try await self.holder(of: principal, now: now)
        }
    }

    private func holder(of principal: Principal, now: Double) async throws -> CheckedToken {
        guard let tokenID = principal.tokenID, let issuedAt = principal.issuedAt, let subject = principal.user else {
            return .bad(.token(.malformedClaim))
        }
        if try await self.store.isRevoked(tokenID: tokenID) { return .bad(.revoked) }
        // Only users' tokens carry it.
        let isUser = principal.claims["username"] != nil
        if let clientID = principal.client, clientID != AccessToken.ownClientID {
            guard let client = try await self.store.client(clientID) else { return .bad(.unknownHolder) }
            guard client.isActive else { return .bad(.inactive) }
            guard issuedAt >= Double(client.tokensValidFrom) else { return .bad(.revoked) }
            if !isUser { return .client(client, principal) }
        }
        guard isUser, let user = try await self.store.user(id: subject), user.deletedAt == nil else {
            return .bad(.unknownHolder)
        }
        if let fault = user.fault(now: now) { return .bad(fault) }
        guard issuedAt >= Double(user.tokensValidFrom) else { return .bad(.revoked) }
        return .user(user, principal)
    }
}

/// What a token of this issuer is worth.
enum CheckedToken: Equatable, Sendable {
    /// A client's own.
    case client(ServiceClient, Principal)
    /// A user's.
    case user(User, Principal)
    case bad(TokenFault)
}

/// Why a token is worth nothing. The reasons of the log, never of an answer.
enum TokenFault: Equatable, Sendable {
    case token(TokenProblem)
    case revoked
    /// The client or user is not there (any more).
    case unknownHolder
    case inactive
    case accountExpired
    case emailNotVerified
}

extension User {
    /// Why he may do nothing at `now`; nil: he may.
    func fault(now: Double) -> TokenFault? {
        if self.deletedAt != nil { return .unknownHolder }
        if !self.isActive { return .inactive }
        if let expiresOn, now >= Double(expiresOn) { return .accountExpired }
        return self.isEmailVerified ? nil : .emailNotVerified
    }
}
