import PosternCore
import PosternCrypto

/// Who asks: the client whose credentials were presented, if it may be used at all.
struct ClientAuthentication: Sendable {
    /// The names of the ways to authenticate (RFC 8414 section 2).
    static let methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]

    let store: any IssuerStore
    let hasher: ClientSecretHasher
    let clock: IssuerClock
    private let decoys = DecoyKeys()

    init(store: any IssuerStore, hasher: ClientSecretHasher, clock: IssuerClock) {
        self.store = store
        self.hasher = hasher
        self.clock = clock
    }

    /// Checks in this order: credentials, active, address. Nothing about a client is told to somebody who does not have
    /// its secret or key. Throws `TokenRefusal`, or what the store throws.
    ///
    /// - Parameters:
    ///   - address: Where the request came from, if that is known.
    ///   - audiences: What an assertion may be meant for (`IssuerURL.assertionAudiences`).
    func authenticate(
        _ credentials: ClientCredentials, address: Address?, audiences: [String]
    ) async throws -> ServiceClient {
        let client =
            switch credentials {
            case .secret(let clientID, let secret, _): try await self.client(clientID, secret: secret)
            case .assertion(let text, let named): try await self.client(text, named: named, audiences: audiences)
            }
        guard client.isActive else { throw TokenRefusal.inactive }
        guard client.allows(address) else { throw TokenRefusal.addressNotAllowed }
        return client
    }

    private func client(_ clientID: String, secret: String) async throws -> ServiceClient {
        let stored = try await self.store.secretDigests(of: clientID, now: self.clock.now())
        // The client's own row is read only after its secret has matched, so that an unknown client and a wrong secret
        // take the same path.
        guard self.hasher.matches(secret, of: clientID, stored: stored),
            let client = try await self.store.client(clientID)
        else { throw TokenRefusal.invalidClient }
        return client
    }

    /// What needs no key is checked first: it is the same for every client. The identifier is remembered only once the
    /// signature is right, so that nobody fills the store or uses up another's identifiers.
    private func client(_ text: String, named: String?, audiences: [String]) async throws -> ServiceClient {
        let now = self.clock.now()
        let assertion: ClientAssertion
        do throws(AssertionProblem) {
            assertion = try ClientAssertion(text, clientID: named, audiences: audiences, now: now)
        } catch {
            throw TokenRefusal.badAssertion(error)
        }
        let client = try await self.store.client(assertion.clientID)
        let keys = self.decoys.keys(for: assertion, of: client?.keySet)
        if let problem = assertion.verify(with: keys.set, now: now) { throw TokenRefusal.badAssertion(problem) }
        guard let client, !keys.areDecoys else { throw TokenRefusal.badAssertion(.noKey) }
        let isNew = try await self.store.useAssertion(assertion.identifier, until: assertion.rememberedUntil, now: now)
        guard isNew else { throw TokenRefusal.badAssertion(.replayed) }
        return client
    }
}
