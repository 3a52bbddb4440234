import PosternCore

/// The audit log's table.
protocol AuditStore: Sendable {
    /// Adds entries that belong to no other change: what was given or refused.
    func addAudit(_ entries: [AuditEntry]) async throws
    /// The last entries, newest first, at most `limit`.
    func auditEntries(limit: Int) async throws -> [AuditEntry]
    /// Forgets entries from before that time (Unix seconds); gives how many they were.
    func removeAudit(before time: Double) async throws -> Int
}

/// Who did, was given or was refused what, and when. Holds no secret, token or password.
struct AuditEntry: Equatable, Sendable {
    /// What can happen. The raw values are those of the log.
    enum Action: String, Sendable, CaseIterable {
        case storePrepared = "store.prepare"
        case clientCreated = "client.create"
        case clientChanged = "client.change"
        case clientRemoved = "client.delete"
        case clientSecretRotated = "client.rotate_secret"
        case userCreated = "user.create"
        case userChanged = "user.change"
        case userRemoved = "user.delete"
        case userLogin = "user.login"
        case userRefresh = "user.refresh"
        case userLogoutAll = "user.logout_all"
        case serviceKeyCreated = "service_key.create"
        case serviceKeyRevoked = "service_key.revoke"
        case tokenIssued = "token.issue"
        case tokenRevoked = "token.revoke"
        case tokenIntrospected = "token.introspect"
        case signingKeyAdded = "signing_key.add"
        case adminRefused = "admin.refuse"
    }

    /// Unix seconds, with a fraction.
    var time: Double
    var action: Action
    /// Whether it was done or given; false: refused.
    var isAllowed: Bool
    /// Who: `client:ID`, `user:ID`, `service-key:NAME`, `command` (the command line), `issuer` (it did it by itself); nil: nobody who could prove it.
    var actor: String?
    /// Whom or what it is about, `client:ID` and the like, or `token:JTI`; nil: nothing more than the actor.
    var target: String?
    /// Why not: an error code; or what was changed: names of fields, separated by spaces. Nothing that a stranger wrote.
    var reason: String?
    /// The caller's address.
    var address: String?
    /// The request's id, as in the log and in answers.
    var requestID: String?

    /// The same with what it is about.
    func about(_ target: String) -> AuditEntry {
        var entry = self
        entry.target = target
        return entry
    }
}
