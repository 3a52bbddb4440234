import PosternCore

/// What was revoked, until it would have expired, and what of it is published.
protocol RevocationStore: Sendable {
    /// Adds a revocation, durably, unless it is there already; forgets those that are over by `now` (Unix seconds).
    /// `until`: when it may be forgotten, Unix seconds.
    func addRevocation(_ revocation: Revocation, until: Int, now: Double, audit: AuditEntry) async throws
    /// Whether the token with this `jti` was revoked by itself. What concerns all tokens of a user or client is his
    /// `tokensValidFrom`.
    func isRevoked(tokenID: String) async throws -> Bool
    /// Those that are not marked as published and not over, oldest first, at most `limit`.
    func unpublishedRevocations(now: Double, limit: Int) async throws -> [StoredRevocation]
    /// Those after that row that are marked as published and not over, oldest first, at most `limit`.
    func publishedRevocations(after id: Int64, now: Double, limit: Int) async throws -> [StoredRevocation]
    /// Marks all up to that row as published.
    func markRevocationsPublished(through id: Int64) async throws
}

/// A revocation as it lies in the store.
struct StoredRevocation: Equatable, Sendable {
    /// Grows from each to the next.
    var id: Int64
    /// The JSON that goes into the sorted set and onto the channel.
    var member: String
    /// When it may be forgotten: Unix seconds.
    var until: Int
}
