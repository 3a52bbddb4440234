/// Users, for the introspection kind of issuer.
protocol UserStore: Sendable {
    /// The user, or nil; also a deleted one.
    func user(id: String) async throws -> User?
    /// The user of that name who is not deleted, or nil. Names are compared as they are stored: in lower case.
    func user(named username: String) async throws -> User?
    /// At most `limit` users who are not deleted after that id, by id.
    func users(after id: String?, limit: Int) async throws -> Page<User>
    /// Adds a user. Throws `StoreRefusal.exists` if another who is not deleted has the name or the e-mail address.
    func addUser(_ user: User, now: Double, audit: AuditEntry) async throws
    /// Changes what `change` changes and gives the user as he is then; `id` and `tokensValidFrom` stay.
    ///
    /// Where he becomes inactive, or his password changes, all his sessions end and all his tokens until now are revoked
    /// in the same transaction. Throws `StoreRefusal.missing`, also for a deleted one, and `.exists`.
    func changeUser(
        _ id: String, now: Double, audit: AuditEntry, _ change: @escaping @Sendable (inout User) -> Void
    ) async throws -> User
    /// Puts another hash of the same password in place of `old`. Sessions and tokens stay. Nothing happens if `old` is
    /// not the user's hash (any more).
    func rehashPassword(of id: String, from old: String, to new: String, audit: AuditEntry) async throws
    /// Marks a user as deleted: his name may be given anew, his id never. Ends his sessions, revokes his tokens until
    /// now. Throws `StoreRefusal.missing`.
    func removeUser(_ id: String, now: Double, audit: AuditEntry) async throws
}

/// Somebody who logs in with a password.
struct User: Equatable, Sendable {
    /// A UUID in lower case; `sub` of his tokens. Never used again.
    var id: String
    /// In lower case.
    var username: String
    var email: String
    var isEmailVerified: Bool
    var isActive: Bool
    var isAdmin: Bool
    var roles: [String]
    var permissions: [String]
    /// When the account ends, Unix seconds; nil: never.
    var expiresOn: Int?
    /// `PasswordHash.description`.
    var passwordHash: String
    /// Unix seconds.
    var createdAt: Int
    var updatedAt: Int
    /// When he was deleted; nil: he is not.
    var deletedAt: Int?
    /// Tokens with an earlier `iat` (Unix seconds) are revoked; 0: none was. Kept by the store.
    var tokensValidFrom: Int
}
