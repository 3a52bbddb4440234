import PosternCore
import PosternCrypto

/// What the first start of each kind writes, and which kind of start a store allows.
struct StoreSetup: Sendable {
    let store: any IssuerStore
    let clock: IssuerClock

    /// Whether `run`, with or without `--dev`, may serve this store.
    func check(dev: Bool) async throws {
        switch (try await self.store.purpose(), dev) {
        case (.service, false), (.development, true), (nil, true): return
        case (nil, false): throw IssuerStartError.emptyStore
        case (.development, false): throw IssuerStartError.developmentStore
        case (.service, true): throw IssuerStartError.serviceStore
        }
    }

    /// The master key and the signing keys under it, made where the store is new. Comes before clients are registered, so
    /// that a wrong master key is found before anything is written under it.
    func keys(_ configuration: StoreConfiguration) async throws -> (MasterKey, KeyRing) {
        let bytes =
            switch configuration.keySource {
            case .bytes(let bytes): bytes
            // A key file is made only for a store without keys: beside any other it would open nothing.
            case .file(let path): try KeyFile.load(path, create: try await self.store.signingKeys().isEmpty)
            }
        let master = try MasterKey(bytes)
        let ring = try await KeyRing.load(
            from: self.store, master: master, algorithm: configuration.algorithm, clock: self.clock)
        return (master, ring)
    }

    /// Registers the reference clients where they are missing, and gives their secrets.
    func addReferenceClients(
        _ wanted: [String: String], _ master: MasterKey, _ hasher: ClientSecretHasher
    ) async throws -> [NewClientSecret] {
        let secrets = try ReferenceClients.all.map { client in
            let secret = try wanted[client.clientID] ?? master.devSecret(of: client.clientID)
            return NewClientSecret(clientID: client.clientID, secret: secret)
        }
        let registrations = zip(ReferenceClients.all, secrets).map { client, new in
            ClientRegistration(client: client, secretDigest: hasher.digest(new.secret, of: new.clientID))
        }
        try await self.store.prepare(
            purpose: .development, clients: registrations, scopes: ReferenceClients.scopes, now: self.clock.now())
        return secrets
    }

    /// Makes the first client of a store for real use: the one that may register others.
    func addAdministrator(_ hasher: ClientSecretHasher) async throws -> NewClientSecret {
        let client = ServiceClient(
            clientID: "admin", isTrusted: true, accessTokenLifetime: 900, scopes: [AdminGate.clients, AdminGate.users])
        let new = NewClientSecret(clientID: client.clientID, secret: ClientSecretHasher.newSecret())
        let registration = ClientRegistration(
            client: client, secretDigest: hasher.digest(new.secret, of: new.clientID))
        try await self.store.prepare(
            purpose: .service, clients: [registration], scopes: client.scopes, now: self.clock.now())
        return new
    }
}

/// A client's secret at the one moment at which it is known. Never logged.
struct NewClientSecret: Sendable {
    var clientID: String
    var secret: String

    /// As it is printed for the operator.
    var line: String {
        "client_id=\(self.clientID) client_secret=\(self.secret)"
    }
}
