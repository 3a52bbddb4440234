import PosternCore

/// A request for a token with a client's own credentials.
struct TokenRequest: Sendable {
    var credentials: ClientCredentials
    /// As it was sent; nil and empty both mean all of the client's scopes.
    var scope: String?
    /// Where the request came from, if that is known.
    var address: Address?
    /// What an assertion may be meant for.
    var audiences: [String]

    init(_ credentials: ClientCredentials, scope: String? = nil, address: Address? = nil, audiences: [String] = []) {
        self.credentials = credentials
        self.scope = scope
        self.address = address
        self.audiences = audiences
    }
}

/// A token that was issued, and what its receiver is told about it.
struct IssuedToken: Sendable {
    var text: String
    var clientID: String
    var identifier: String
    /// Seconds.
    var lifetime: Int
    var scopes: [String]

    /// The answer of RFC 6749 section 5.1, as JSON.
    var answer: [UInt8] {
        var answer = JSONObjectWriter()
        answer.add("access_token", plain: self.text)
        answer.add("token_type", "Bearer")
        answer.add("expires_in", self.lifetime)
        answer.add("scope", joined: self.scopes)
        return answer.finished()
    }
}

/// The client credentials grant: who asks, may they, and what do they get.
struct TokenService: Sendable {
    let authentication: ClientAuthentication
    let limiter: any RateLimiting
    let keys: KeyRing
    let audiences: [String]
    let clock: IssuerClock

    /// Checks who asks, then rate and scope. Throws `TokenRefusal`, or what the store throws.
    func issue(_ request: TokenRequest, issuer: String) async throws -> IssuedToken {
        let client = try await self.authentication.authenticate(
            request.credentials, address: request.address, audiences: request.audiences)
        let now = self.clock.now()
        if let wait = await self.limiter.take("client \(client.clientID)", limits: client.rateLimits, now: now) {
            throw TokenRefusal.rateLimited(retryAfter: wait)
        }
        return try await self.sign(
            for: client, scopes: try ScopeList.grant(request.scope, of: client), issuer: issuer)
    }

    /// A token of a client that may have it.
    func sign(for client: ServiceClient, scopes: [String], issuer: String) async throws -> IssuedToken {
        let token = AccessToken(
            issuer: issuer, audiences: self.audiences, client: client, scopes: scopes,
            issuedAt: try await self.clock.issueTime(validFrom: client.tokensValidFrom))
        return IssuedToken(
            text: try token.signed(by: self.keys.signer), clientID: client.clientID, identifier: token.identifier,
            lifetime: client.accessTokenLifetime, scopes: scopes)
    }
}
