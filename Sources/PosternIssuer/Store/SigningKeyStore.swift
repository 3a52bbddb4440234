/// The issuer's own keys.
protocol SigningKeyStore: Sendable {
    /// All signing keys, newest first.
    func signingKeys() async throws -> [StoredSigningKey]
    /// Adds the key unless there is one for its algorithm already; gives all keys as they are then, newest first.
    func addSigningKeyIfFirst(_ key: StoredSigningKey) async throws -> [StoredSigningKey]
    /// Adds the key as the next one of its algorithm, unless one waits already (`signsFrom` after `now`); gives all keys
    /// as they are then, newest first, and whether it was added.
    func addNextSigningKey(
        _ key: StoredSigningKey, now: Double, audit: AuditEntry
    ) async throws -> (keys: [StoredSigningKey], added: Bool)
    /// Forgets keys whose last token is over.
    func removeSigningKeys(_ kids: [String]) async throws
    /// The longest lifetime of an access token that any client ever had, in seconds, or `floor`, whichever is more. Kept by
    /// the store with each registration and change, never less than it was: a retired key stays published so long.
    func longestAccessTokenLifetime(floor: Int) async throws -> Int
}

/// A private key as it lies in the store.
struct StoredSigningKey: Equatable, Sendable {
    var kid: String
    var algorithm: String
    /// PKCS #8, sealed with AES-256-GCM and bound to `binding`.
    var sealed: [UInt8]
    /// Unix seconds.
    var createdAt: Int
    /// From when on it signs (Unix seconds), until the next one does. The first key signs from the start: `createdAt`.
    var signsFrom: Int

    /// What the sealed bytes are bound to, so that they cannot be moved to another row.
    var binding: [UInt8] {
        Array("signing key \(self.kid) \(self.algorithm)".utf8)
    }
}
