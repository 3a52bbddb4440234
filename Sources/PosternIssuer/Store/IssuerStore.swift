/// What the issuer keeps. One protocol, so that the same code and the same tests work over every kind of store.
///
/// Each method is one transaction: all of it happens or none, and when it returns it is durable. What changes something
/// on somebody's behalf takes the audit entry that says so into the same transaction. Times are Unix seconds.
protocol IssuerStore: ClientStore, UserStore, SessionStore, ServiceKeyStore, SigningKeyStore, RevocationStore,
    AuditStore
{
    /// What the store was made for; nil while it is new.
    func purpose() async throws -> StorePurpose?
    /// Sets the purpose of a new store and registers clients that are not there yet, all or nothing. A client that is
    /// there keeps its settings, and the given secret becomes its only one.
    func prepare(purpose: StorePurpose, clients: [ClientRegistration], scopes: [String], now: Double) async throws
    /// Whether the store answers: throws if it does not.
    func ping() async throws
    /// Waits for what is under way and gives the files and connections back. Nothing is called afterwards.
    func close() async
}

/// Whose store it is. A development store has clients whose secrets are printed, and is never served without `--dev`.
enum StorePurpose: String, Sendable {
    case development
    case service
}

/// Why the store did not do what it was asked for, where that is nobody's fault. Anything else that it throws means that
/// the store is broken or away.
enum StoreRefusal: Error, Equatable {
    /// Something with this name is there already.
    case exists
    /// There is nothing with this name.
    case missing
}

/// Part of a list, in the order of `after`.
struct Page<Item: Sendable>: Sendable {
    var items: [Item]
    /// What the next part comes after; nil: this was the last one.
    var next: String?
}

extension Page: Equatable where Item: Equatable {}
