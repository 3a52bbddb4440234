/// The keys with which services introspect: what administrators do with them, and whose a presented one is. Everything
/// that changes takes an audit entry that says who does it; what it is about is filled in here.
struct ServiceKeyService: Sendable {
    let store: any IssuerStore
    let hasher: ServiceKeyHasher
    let clock: IssuerClock
    let audit: AuditLog

    /// Makes a key; its text is known this once. Throws `StoreRefusal.exists` if an active key has the name, or what the
    /// store throws.
    func create(
        _ fields: ServiceKeyFields, audit: AuditEntry
    ) async throws -> (key: ServiceKey, text: String) {
        let text = ServiceKeyHasher.newKey()
        let key = ServiceKey(
            id: Identifier.uuid(), name: fields.name, description: fields.description,
            prefix: String(text.prefix(ServiceKeyHasher.prefixLength)), digest: self.hasher.digest(text),
            createdAt: Int(self.clock.now().rounded(.down)))
        let entry = audit.about("service-key:\(key.name)")
        try await self.store.addServiceKey(key, audit: entry)
        self.audit.changed(entry)
        return (key, text)
    }

    /// All keys, oldest first, revoked ones as well.
    func list() async throws -> [ServiceKey] {
        try await self.store.serviceKeys()
    }

    /// Revokes the active key of that name, at once. Throws `StoreRefusal.missing`, or what the store throws.
    func revoke(_ name: String, audit: AuditEntry) async throws {
        let entry = audit.about("service-key:\(name)")
        try await self.store.revokeServiceKey(named: name, now: self.clock.now(), audit: entry)
        self.audit.changed(entry)
    }

    /// The active key that was presented; nil: it is none. Throws what the store throws.
    ///
    /// Whatever was presented takes the same path: a MAC, and one look for it. How far two MACs agree tells nobody
    /// anything who does not have the pepper.
    func authenticate(_ text: String) async throws -> ServiceKey? {
        try await self.store.serviceKey(digest: self.hasher.digest(text))
    }
}

/// What an administrator says of a new key.
struct ServiceKeyFields: Equatable, Sendable {
    static let all = ["name", "description"]

    var name: String
    var description: String

    /// What is wrong is in `reader.problems` then, and the fields mean nothing.
    init(_ reader: inout FieldReader) {
        reader.require("name")
        self.name = reader.identifier("name", limit: 64) ?? ""
        self.description = reader.string("description", limit: 1024) ?? ""
    }
}
