/// Keys with which services introspect (`hsk_…`).
protocol ServiceKeyStore: Sendable {
    /// Adds a key. Throws `StoreRefusal.exists` if there is an active one of that name.
    func addServiceKey(_ key: ServiceKey, audit: AuditEntry) async throws
    /// All keys, oldest first, revoked ones as well.
    func serviceKeys() async throws -> [ServiceKey]
    /// The active key with that digest, or nil.
    func serviceKey(digest: [UInt8]) async throws -> ServiceKey?
    /// Revokes the active key of that name. Throws `StoreRefusal.missing`.
    func revokeServiceKey(named name: String, now: Double, audit: AuditEntry) async throws
}

/// A key with which a service introspects.
struct ServiceKey: Equatable, Sendable {
    /// A UUID in lower case.
    var id: String
    var name: String
    var description: String
    /// `hsk_` and the first 8 characters of what follows: to recognize it by.
    var prefix: String
    /// HMAC-SHA-256 of the whole key under the pepper: 32 octets.
    var digest: [UInt8]
    /// Unix seconds.
    var createdAt: Int
    var revokedAt: Int?
}
