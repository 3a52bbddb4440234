import PosternCore

/// Logins, each a family of refresh tokens of which only the last one is good (RFC 9700 section 4.14.2).
protocol SessionStore: Sendable {
    /// A login with its first refresh token. If all the user's tokens from then are revoked already, because somebody
    /// logged him out or changed his password meanwhile, the session is over from the start.
    func addSession(_ session: Session, token: RefreshToken, audit: AuditEntry) async throws
    /// The session that a refresh token belongs to, and the token; nil if it is not known.
    func session(ofToken digest: [UInt8]) async throws -> (session: Session, token: RefreshToken)?
    /// Takes a refresh token and puts `next` in its place.
    ///
    /// A token that was used before means that two have it: the whole session ends in the same transaction, and the
    /// access tokens that it was given are revoked (by `jti`, to be published). The audit entry says then that it was
    /// refused, with the reason `token_reused`. Of what is merely refused nothing is written.
    func rotate(
        _ digest: [UInt8], to next: RefreshToken, now: Double, audit: AuditEntry
    ) async throws -> RefreshOutcome
    /// Ends one session and revokes its access tokens. Nothing happens if it is over already.
    func endSession(_ id: String, now: Double, audit: AuditEntry) async throws
    /// Ends all sessions of a user and revokes all his tokens until now (a `sub` revocation, to be published): from then
    /// on `tokensValidFrom` is the next whole second. Throws `StoreRefusal.missing`.
    func endAllSessions(ofUser id: String, now: Double, audit: AuditEntry) async throws
}

/// A login.
struct Session: Equatable, Sendable {
    /// A UUID in lower case.
    var id: String
    var userID: String
    /// The client that the user logged in through; nil: none was named.
    var clientID: String?
    /// Unix seconds.
    var createdAt: Int
    /// When it ended before its time; nil: it did not.
    var endedAt: Int?
}

/// One refresh token, and the access token that was handed out with it.
struct RefreshToken: Equatable, Sendable {
    /// HMAC-SHA-256 of the token under the pepper: 32 octets.
    var digest: [UInt8]
    /// Unix seconds.
    var issuedAt: Int
    var expiresAt: Int
    /// `jti` and `exp` of the access token.
    var accessTokenID: String
    var accessExpiresAt: Int
    /// When it was exchanged for the next one; nil: it was not.
    var usedAt: Int?
}

/// What became of a refresh token.
enum RefreshOutcome: Equatable, Sendable {
    case rotated(Session)
    /// It was used before; the session is over now.
    case reused(Session)
    /// Its time or its session is over, or there is no such token.
    case refused
}
