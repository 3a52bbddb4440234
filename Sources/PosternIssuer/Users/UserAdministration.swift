/// What administrators do with users, by the API and from the shell.
struct UserAdministration: Sendable {
    let store: any IssuerStore
    let passwords: PasswordHasher
    /// Nil without Redis.
    let publisher: RevocationPublisher?
    let clock: IssuerClock
    let audit: AuditLog

    /// Adds a user. Throws `StoreRefusal.exists` for a name or an e-mail address that another has, `PasswordOverload`, or
    /// what the store throws.
    func create(_ new: NewUser, audit: AuditEntry) async throws -> User {
        let now = self.clock.now()
        var user = User(
            id: Identifier.uuid(), username: new.username, email: "", isEmailVerified: false,
            isActive: true, isAdmin: false, roles: [], permissions: [], expiresOn: nil, passwordHash: "",
            createdAt: Int(now), updatedAt: Int(now), deletedAt: nil, tokensValidFrom: 0)
        new.fields.apply(to: &user, passwordHash: try await self.passwords.hash(new.password))
        let entry = audit.about("user:\(user.id)")
        try await self.store.addUser(user, now: now, audit: entry)
        self.audit.changed(entry)
        return user
    }

    /// Users who are not deleted, by id.
    func list(after id: String?, limit: Int) async throws -> Page<User> {
        try await self.store.users(after: id, limit: limit)
    }

    /// The user, unless he is deleted.
    func user(_ id: String) async throws -> User? {
        let user = try await self.store.user(id: id)
        return user?.deletedAt == nil ? user : nil
    }

    /// The user of that name, in any case of letters, unless he is deleted.
    func user(named username: String) async throws -> User? {
        guard let name = UserFields.normalized(username) else { return nil }
        return try await self.store.user(named: name)
    }

    /// Changes a user. Where his password changes or he becomes inactive, his sessions end and his tokens are revoked;
    /// returns when that is durable and Redis was tried once. The names of the fields are audited, not their values.
    ///
    /// Throws `StoreRefusal`, `PasswordOverload`, or what the store throws.
    func change(_ id: String, _ fields: UserFields, audit: AuditEntry) async throws -> User {
        // Before the slow hash, and again by the store, for whoever is deleted meanwhile.
        guard try await self.user(id) != nil else { throw StoreRefusal.missing }
        var hash: String?
        if let password = fields.password { hash = try await self.passwords.hash(password) }
        var entry = audit.about("user:\(id)")
        entry.reason = fields.changes
        let user = try await self.store.changeUser(id, now: self.clock.now(), audit: entry) { [hash] user in
            fields.apply(to: &user, passwordHash: hash)
        }
        self.audit.changed(entry)
        if hash != nil || fields.isActive == false { _ = await self.publisher?.publish() }
        return user
    }

    /// Deletes a user: his sessions end, his tokens are revoked, his id is never used again. Throws
    /// `StoreRefusal.missing`, or what the store throws.
    func delete(_ id: String, audit: AuditEntry) async throws {
        let entry = audit.about("user:\(id)")
        try await self.store.removeUser(id, now: self.clock.now(), audit: entry)
        self.audit.changed(entry)
        _ = await self.publisher?.publish()
    }
}

/// A user who is to be added.
struct NewUser: Equatable, Sendable {
    var username: String
    var password: String
    var fields: UserFields

    /// Reads the members; throws `Problem` (422) that names all that are missing or wrong.
    init(_ reader: FieldReader) throws(Problem) {
        var reader = reader
        reader.require("username", "password")
        let fields = UserFields(&reader)
        try reader.finish()
        // Both are there, or the reader would have had a problem.
        guard let username = fields.username, let password = fields.password else { throw .internalError }
        self.username = username
        self.password = password
        self.fields = fields
    }
}
