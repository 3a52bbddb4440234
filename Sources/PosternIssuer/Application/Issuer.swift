import Hummingbird
import Logging
import PosternCrypto

/// The issuer with its store open and its keys loaded: everything but the listener.
struct Issuer: Sendable {
    let store: any IssuerStore
    let keys: KeyRing
    let url: IssuerURL
    let tokens: TokenService
    /// The reference clients' secrets, in development mode.
    let devSecrets: [NewClientSecret]

    /// Opens the store, makes what a first start makes, and loads the keys.
    static func open(_ configuration: IssuerConfiguration, clock: IssuerClock = .system) async throws -> Issuer {
        try await Self.open(configuration, store: try SQLiteStore(path: configuration.store.path), clock: clock)
    }

    static func open(
        _ configuration: IssuerConfiguration, store: any IssuerStore, clock: IssuerClock
    ) async throws -> Issuer {
        let setup = StoreSetup(store: store, now: clock.now())
        try await setup.check(dev: configuration.dev)
        let (master, keys) = try await setup.keys(configuration.store)
        let hasher = ClientSecretHasher(pepper: master.pepper)
        let secrets =
            configuration.dev ? try await setup.addReferenceClients(configuration.devSecrets, master, hasher) : []
        let service = TokenService(
            store: store, hasher: hasher, limiter: RateLimiter(), signer: keys.signer,
            audiences: configuration.audiences, clock: clock)
        return Issuer(
            store: store, keys: keys, url: IssuerURL(configured: configuration.issuer), tokens: service,
            devSecrets: secrets)
    }

    func router() -> Router<IssuerContext> {
        let router = Router(context: IssuerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ErrorMiddleware())
        var routes = RouteList(router: router)
        TokenEndpoints(service: self.tokens, issuer: self.url).register(in: &routes)
        MetadataEndpoints(keys: self.keys, store: self.store, issuer: self.url).register(in: &routes)
        HealthEndpoint(store: self.store).register(in: &routes)
        routes.refuseOtherMethods()
        return router
    }
}
