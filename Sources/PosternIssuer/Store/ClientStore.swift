/// Clients of the token endpoints, their secrets and what they may be given.
protocol ClientStore: Sendable {
    /// The digests of a client's secrets that hold at `now`; empty if there is no such client.
    func secretDigests(of clientID: String, now: Double) async throws -> [[UInt8]]
    /// The public keys of a client's assertions, a JWK set as JSON; nil if it has none or there is no such client.
    func keySet(of clientID: String) async throws -> String?
    /// The client, or nil.
    func client(_ clientID: String) async throws -> ServiceClient?
    /// At most `limit` clients after that `client_id`, by `client_id` (in the order of its octets).
    func clients(after clientID: String?, limit: Int) async throws -> Page<ServiceClient>
    /// Registers a client. Scopes that are new join the catalogue. Throws `StoreRefusal.exists`.
    func addClient(_ registration: ClientRegistration, now: Double, audit: AuditEntry) async throws
    /// Changes what `change` changes and gives the client as it is then. `client_id` and `tokensValidFrom` stay.
    ///
    /// Where an active client becomes inactive, all its tokens until now are revoked in the same transaction (a
    /// `client` revocation, to be published). Throws `StoreRefusal.missing`.
    func changeClient(
        _ clientID: String, now: Double, audit: AuditEntry, _ change: @escaping @Sendable (inout ServiceClient) -> Void
    ) async throws -> ServiceClient
    /// Removes a client with its secrets, and revokes all its tokens until now. A client that is registered under the
    /// same name later does not inherit them: its `tokensValidFrom` says so. Throws `StoreRefusal.missing`.
    func removeClient(_ clientID: String, now: Double, audit: AuditEntry) async throws
    /// Adds a secret; the ones that hold now end at `oldUntil` (`now` or before: at once) unless they end sooner. Ended
    /// ones are forgotten. Throws `StoreRefusal.missing`.
    func rotateSecret(
        of clientID: String, to digest: [UInt8], oldUntil: Double, now: Double, audit: AuditEntry
    ) async throws
    /// Remembers the identifier of a client's assertion (RFC 7523) until it would have expired. False if it is known
    /// already: somebody sends it a second time. `identifier` is a digest of 32 octets over client and `jti`.
    func useAssertion(_ identifier: [UInt8], until: Double, now: Double) async throws -> Bool
    /// All scope names, in the order of their registration.
    func scopes() async throws -> [String]
}

/// A client with the digest of its secret.
struct ClientRegistration: Sendable {
    var client: ServiceClient
    var secretDigest: [UInt8]
}
