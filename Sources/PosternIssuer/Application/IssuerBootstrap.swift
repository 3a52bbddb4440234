import PosternCrypto

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `postern-issuer bootstrap`: sets up a new store for real use, with an administrator's client.
public struct IssuerBootstrap: Sendable {
    private let configuration: StoreConfiguration

    public init(_ configuration: StoreConfiguration) {
        self.configuration = configuration
    }

    /// The line with the client's id and secret, which is shown this once. Throws `IssuerFailure`, also if the store has
    /// been set up already.
    public func run() async throws -> String {
        umask(0o077)
        do {
            let store = try await self.configuration.open()
            return try await Self.run(self.configuration, store: store, clock: .system).line
        } catch {
            throw IssuerFailure(error)
        }
    }

    static func run(
        _ configuration: StoreConfiguration, store: any IssuerStore, clock: IssuerClock
    ) async throws -> NewClientSecret {
        let setup = StoreSetup(store: store, clock: clock)
        guard try await store.purpose() == nil else { throw IssuerStartError.notEmpty }
        let (master, _) = try await setup.keys(configuration)
        return try await setup.addAdministrator(ClientSecretHasher(pepper: master.pepper))
    }
}
