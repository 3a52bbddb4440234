import Hummingbird
import Logging
import NIOPosix
import PosternCrypto

/// The issuer with its store open and its keys loaded: everything but the listener.
struct Issuer: Sendable {
    let store: any IssuerStore
    let keys: KeyRing
    let url: IssuerURL
    let tokens: TokenService
    let revocations: RevocationService
    let audit: AuditLog
    let clock: IssuerClock
    /// The reference clients' secrets, in development mode.
    let devSecrets: [NewClientSecret]

    /// Opens the store, makes what a first start makes, and loads the keys.
    ///
    /// - Parameter auditLines: Takes the lines of the audit log.
    static func open(
        _ configuration: IssuerConfiguration, clock: IssuerClock = .system,
        logger: Logger = Logger(label: "postern-issuer"), auditLines: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Issuer {
        let store = try await configuration.store.open()
        let setup = StoreSetup(store: store, now: clock.now())
        try await setup.check(dev: configuration.dev)
        let (master, keys) = try await setup.keys(configuration.store)
        let hasher = ClientSecretHasher(pepper: master.pepper)
        let secrets =
            configuration.dev ? try await setup.addReferenceClients(configuration.devSecrets, master, hasher) : []
        let tokens = TokenService(
            authentication: ClientAuthentication(store: store, hasher: hasher, clock: clock), limiter: RateLimiter(),
            keys: keys, audiences: configuration.audiences, clock: clock)
        let publisher = try configuration.redis.map { redis in
            RevocationPublisher(
                store: store,
                redis: try RedisPort(redis, eventLoop: MultiThreadedEventLoopGroup.singleton.any()),
                name: redis.revocations, clock: clock, logger: logger)
        }
        let revocations = RevocationService(
            store: store, keys: keys.verification, publisher: publisher, clock: clock)
        return Issuer(
            store: store, keys: keys, url: IssuerURL(configured: configuration.issuer), tokens: tokens,
            revocations: revocations,
            audit: AuditLog(store: store, clock: clock, logger: logger, output: auditLines), clock: clock,
            devSecrets: secrets)
    }

    func router() -> Router<IssuerContext> {
        self.routes().router
    }

    /// Everything that is served.
    func routes() -> RouteList {
        let router = Router(context: IssuerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: TimeMiddleware(clock: self.clock))
        router.add(middleware: ErrorMiddleware())
        var routes = RouteList(router: router)
        TokenEndpoints(service: self.tokens, issuer: self.url).register(in: &routes)
        RevocationEndpoint(service: self.revocations, authentication: self.tokens.authentication, issuer: self.url)
            .register(in: &routes)
        MetadataEndpoints(keys: self.keys, store: self.store, issuer: self.url).register(in: &routes)
        HealthEndpoint(store: self.store).register(in: &routes)
        OpenAPIEndpoint(issuer: self.url).register(in: &routes)
        routes.refuseOtherMethods()
        return routes
    }
}
