/// Makes the pair of tokens that a login or a refresh gives.
struct SessionTokens: Sendable {
    /// Seconds, where no client says otherwise.
    static let accessLifetime = 900
    static let refreshLifetime = 86400

    let keys: KeyRing
    let audiences: [String]
    let format: RefreshTokenFormat

    /// A pair for a user, and what the store keeps of it. Both tokens end with his account.
    ///
    /// - Parameters:
    ///   - client: The client that he logged in through, whose lifetimes count.
    ///   - issuedAt: Unix seconds.
    func make(
        _ user: User, _ client: ServiceClient?, issuer: String, issuedAt: Int
    ) throws -> (issued: IssuedSession, stored: RefreshToken) {
        let access = AccessToken(
            issuer: issuer, audiences: self.audiences, user: user, client: client,
            lifetime: client?.accessTokenLifetime ?? Self.accessLifetime, issuedAt: issuedAt)
        let refresh = self.format.new()
        let ends = min(issuedAt + (client?.refreshTokenLifetime ?? Self.refreshLifetime), user.expiresOn ?? .max)
        let issued = IssuedSession(
            accessToken: try access.signed(by: self.keys.signer), accessTokenID: access.identifier,
            accessLifetime: access.expiresAt - issuedAt, refreshToken: refresh.token, refreshLifetime: ends - issuedAt,
            scopes: access.scopes, userID: user.id)
        let stored = RefreshToken(
            digest: refresh.digest, issuedAt: issuedAt, expiresAt: ends,
            accessTokenID: access.identifier, accessExpiresAt: access.expiresAt, usedAt: nil)
        return (issued, stored)
    }
}
