/// A request for a token with a client's own credentials.
struct TokenRequest: Sendable {
    var clientID: String
    var secret: String
    /// As it was sent; nil and empty both mean all of the client's scopes.
    var scope: String?
    /// Where the request came from, if that is known.
    var peer: Address?
}

/// A token that was issued, and what its receiver is told about it.
struct IssuedToken: Sendable {
    var text: String
    var clientID: String
    var identifier: String
    /// Seconds.
    var lifetime: Int
    var scopes: [String]
}

/// The client credentials grant: who asks, may they, and what do they get.
struct TokenService: Sendable {
    let store: any IssuerStore
    let hasher: ClientSecretHasher
    let limiter: RateLimiter
    let signer: TokenSigner
    let audiences: [String]
    let clock: IssuerClock

    /// Checks in this order: credentials, active, address, rate, scope. Nothing about a client is told to somebody who
    /// does not have its secret. Throws `TokenRefusal`, or what the store throws.
    func issue(_ request: TokenRequest, issuer: String) async throws -> IssuedToken {
        let client = try await self.authenticated(request)
        guard client.isActive else { throw TokenRefusal.inactive }
        guard client.allows(request.peer) else { throw TokenRefusal.addressNotAllowed }
        let now = self.clock.now()
        if let wait = self.limiter.take(client.clientID, limits: client.rateLimits, now: now) {
            throw TokenRefusal.rateLimited(retryAfter: wait)
        }
        let scopes = try ScopeList.grant(request.scope, of: client)
        let token = AccessToken(
            issuer: issuer, audiences: self.audiences, client: client, scopes: scopes,
            issuedAt: Int(now.rounded(.down)), identifier: AccessToken.newIdentifier())
        return IssuedToken(
            text: try token.signed(by: self.signer), clientID: client.clientID, identifier: token.identifier,
            lifetime: client.accessTokenLifetime, scopes: scopes)
    }

    /// The client whose secret was presented. The client's own row is read only after its secret has matched, so that
    /// an unknown client and a wrong secret take the same path.
    private func authenticated(_ request: TokenRequest) async throws -> ServiceClient {
        let stored = try await self.store.secretDigests(of: request.clientID)
        guard self.hasher.matches(request.secret, of: request.clientID, stored: stored),
            let client = try await self.store.client(request.clientID)
        else { throw TokenRefusal.invalidClient }
        return client
    }
}
