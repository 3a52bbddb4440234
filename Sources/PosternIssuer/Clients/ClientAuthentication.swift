/// Who asks: the client whose secret was presented, if it may be used at all.
struct ClientAuthentication: Sendable {
    let store: any IssuerStore
    let hasher: ClientSecretHasher
    let clock: IssuerClock

    /// Checks in this order: credentials, active, address. Nothing about a client is told to somebody who does not have
    /// its secret. Throws `TokenRefusal`, or what the store throws.
    ///
    /// - Parameter peer: Where the request came from, if that is known.
    func client(_ clientID: String, secret: String, peer: Address?) async throws -> ServiceClient {
        let stored = try await self.store.secretDigests(of: clientID, now: self.clock.now())
        // The client's own row is read only after its secret has matched, so that an unknown client and a wrong secret
        // take the same path.
        guard self.hasher.matches(secret, of: clientID, stored: stored),
            let client = try await self.store.client(clientID)
        else { throw TokenRefusal.invalidClient }
        guard client.isActive else { throw TokenRefusal.inactive }
        guard client.allows(peer) else { throw TokenRefusal.addressNotAllowed }
        return client
    }
}
