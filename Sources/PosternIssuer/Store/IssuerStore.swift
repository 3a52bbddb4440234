import PosternCore

/// What the issuer keeps. One protocol, so that the same code and the same tests work over every kind of store.
protocol IssuerStore: Sendable {
    /// What the store was made for; nil while it is new.
    func purpose() async throws -> StorePurpose?
    /// Sets the purpose of a new store and registers clients that are not there yet, all or nothing.
    func prepare(purpose: StorePurpose, clients: [ClientRegistration], scopes: [String], now: Double) async throws
    /// The digests of a client's secrets; empty if there is no such client.
    func secretDigests(of clientID: String) async throws -> [[UInt8]]
    /// The client, or nil.
    func client(_ clientID: String) async throws -> ServiceClient?
    /// All scope names, in the order of their registration.
    func scopes() async throws -> [String]
    /// All signing keys, newest first.
    func signingKeys() async throws -> [StoredSigningKey]
    /// Adds the key unless there is one for its algorithm already; gives all keys as they are then, newest first.
    func addSigningKeyIfFirst(_ key: StoredSigningKey) async throws -> [StoredSigningKey]
    /// Adds a revocation, durably, unless it is there already; forgets those that are over by `now` (Unix seconds).
    /// `until`: when it may be forgotten, Unix seconds.
    func addRevocation(_ revocation: Revocation, until: Int, now: Double) async throws
    /// Those that are not marked as published and not over, oldest first, at most `limit`.
    func unpublishedRevocations(now: Double, limit: Int) async throws -> [StoredRevocation]
    /// Those after that row that are marked as published and not over, oldest first, at most `limit`.
    func publishedRevocations(after id: Int64, now: Double, limit: Int) async throws -> [StoredRevocation]
    /// Marks all up to that row as published.
    func markRevocationsPublished(through id: Int64) async throws
    /// Whether the store answers: throws if it does not.
    func ping() async throws
}

/// Whose store it is. A development store has clients whose secrets are printed, and is never served without `--dev`.
enum StorePurpose: String, Sendable {
    case development
    case service
}

/// A client with the digest of its secret.
struct ClientRegistration: Sendable {
    var client: ServiceClient
    var secretDigest: [UInt8]
}

/// A private key as it lies in the store.
struct StoredSigningKey: Sendable {
    var kid: String
    var algorithm: String
    /// PKCS #8, sealed with AES-256-GCM and bound to `binding`.
    var sealed: [UInt8]
    /// Unix seconds.
    var createdAt: Int

    /// What the sealed bytes are bound to, so that they cannot be moved to another row.
    var binding: [UInt8] {
        Array("signing key \(self.kid) \(self.algorithm)".utf8)
    }
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
