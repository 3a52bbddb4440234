/// What administrators do with service clients, by API and by command line. Everything that changes takes an audit entry
/// that says who does it; what it is about is filled in here. Throws `StoreRefusal`, or what the store throws.
struct ClientAdministration: Sendable {
    /// Seconds for which an old secret may go on working.
    static let overlaps = 0...604_800

    let store: any IssuerStore
    let hasher: ClientSecretHasher
    let clock: IssuerClock
    let audit: AuditLog
    /// Nil without Redis, and where another process publishes.
    let publisher: RevocationPublisher?

    /// Registers a client; gives it as it is kept, and its secret, which is known this once.
    func create(
        _ client: ServiceClient, audit: AuditEntry
    ) async throws -> (client: ServiceClient, secret: NewClientSecret) {
        let now = self.clock.now()
        let new = NewClientSecret(clientID: client.clientID, secret: ClientSecretHasher.newSecret())
        let digest = self.hasher.digest(new.secret, of: client.clientID)
        let entry = audit.about("client:\(client.clientID)")
        try await self.store.addClient(
            ClientRegistration(client: client, secretDigest: digest), now: now, audit: entry)
        self.audit.changed(entry)
        return (try await self.show(client.clientID), new)
    }

    func list(after clientID: String?, limit: Int) async throws -> Page<ServiceClient> {
        try await self.store.clients(after: clientID, limit: limit)
    }

    /// Throws `StoreRefusal.missing`.
    func show(_ clientID: String) async throws -> ServiceClient {
        guard let client = try await self.store.client(clientID) else { throw StoreRefusal.missing }
        return client
    }

    /// Changes a client; one that becomes inactive loses all its tokens. Throws `StoreRefusal.missing`.
    func change(
        _ clientID: String, _ change: ServiceClientChange, audit: AuditEntry
    ) async throws -> ServiceClient {
        if change.isEmpty { return try await self.show(clientID) }
        var entry = audit.about("client:\(clientID)")
        entry.reason = change.fields.joined(separator: " ")
        let client = try await self.store.changeClient(clientID, now: self.clock.now(), audit: entry) {
            change.apply(&$0)
        }
        self.audit.changed(entry)
        if !client.isActive { _ = await self.publisher?.publish() }
        return client
    }

    /// Removes a client with its secrets and all its tokens. Throws `StoreRefusal.missing`.
    func delete(_ clientID: String, audit: AuditEntry) async throws {
        let entry = audit.about("client:\(clientID)")
        try await self.store.removeClient(clientID, now: self.clock.now(), audit: entry)
        self.audit.changed(entry)
        _ = await self.publisher?.publish()
    }

    /// Gives a client a new secret. Throws `StoreRefusal.missing`.
    ///
    /// - Parameter overlap: For how many seconds the old one still works: one of `overlaps`.
    func rotateSecret(of clientID: String, overlap: Int, audit: AuditEntry) async throws -> RotatedSecret {
        let now = self.clock.now()
        let oldUntil = Int(now.rounded(.down)) + overlap
        let new = NewClientSecret(clientID: clientID, secret: ClientSecretHasher.newSecret())
        let entry = audit.about("client:\(clientID)")
        try await self.store.rotateSecret(
            of: clientID, to: self.hasher.digest(new.secret, of: clientID), oldUntil: Double(oldUntil), now: now,
            audit: entry)
        self.audit.changed(entry)
        return RotatedSecret(new: new, oldUntil: overlap > 0 ? oldUntil : nil)
    }
}

/// A client's new secret, and until when (Unix seconds) the old one works; nil: no more.
struct RotatedSecret: Sendable {
    var new: NewClientSecret
    var oldUntil: Int?
}
