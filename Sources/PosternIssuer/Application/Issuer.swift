import Hummingbird
import Logging
import NIOPosix
import PosternCrypto

/// The issuer with its store open and its keys loaded: everything but the listener.
struct Issuer: Sendable {
    let store: any IssuerStore
    let keys: KeyRing
    let rotation: KeyRotation
    let url: IssuerURL
    let tokens: TokenService
    let revocations: RevocationService
    let people: UserServices
    let clients: ClientAdministration
    let serviceKeys: ServiceKeyService
    let audit: AuditLog
    let clock: IssuerClock
    let stop = StopNotice()
    let trustedProxies: TrustedProxies
    /// The reference clients' secrets, in development mode.
    let devSecrets: [NewClientSecret]

    /// Opens the store, makes what a first start makes, and loads the keys.
    ///
    /// - Parameters:
    ///   - auditLines: Takes the lines of the audit log.
    ///   - passwords: Hashes users' passwords.
    static func open(
        _ configuration: IssuerConfiguration, clock: IssuerClock = .system,
        logger: Logger = Logger(label: "postern-issuer"), auditLines: @escaping @Sendable (String) -> Void = { _ in },
        passwords: PasswordHasher = PasswordHasher()
    ) async throws -> Issuer {
        let store = try await configuration.store.open()
        let setup = StoreSetup(store: store, clock: clock)
        try await setup.check(dev: configuration.dev)
        let (master, keys) = try await setup.keys(configuration.store, algorithm: configuration.store.algorithm)
        let secrets =
            configuration.dev
            ? try await setup.addReferenceClients(
                configuration.devSecrets, master, ClientSecretHasher(pepper: master.pepper)) : []
        let redis = try Self.redis(configuration.redis)
        let audit = AuditLog(store: store, clock: clock, logger: logger, output: auditLines)
        return Issuer(
            configuration, store, master, keys, redis, audit, passwords, clock: clock, logger: logger, secrets)
    }

    /// Opens a store that has been set up, for one command: whatever it is for, and without changing which key signs.
    static func openForCommand(
        _ configuration: IssuerConfiguration, clock: IssuerClock, logger: Logger,
        auditLines: @escaping @Sendable (String) -> Void, passwords: PasswordHasher
    ) async throws -> Issuer {
        let store = try await configuration.store.open()
        do {
            guard try await store.purpose() != nil else { throw IssuerStartError.emptyStore }
            let (master, keys) = try await StoreSetup(store: store, clock: clock)
                .keys(configuration.store, algorithm: nil)
            let audit = AuditLog(store: store, clock: clock, logger: logger, output: auditLines)
            return Issuer(
                configuration, store, master, keys, try Self.redis(configuration.redis), audit, passwords,
                clock: clock, logger: logger, [])
        } catch {
            await store.close()
            throw error
        }
    }

    private static func redis(_ configuration: RedisConfiguration?) throws -> RedisPort? {
        try configuration.map { try RedisPort($0, eventLoop: MultiThreadedEventLoopGroup.singleton.any()) }
    }

    /// Puts the parts together.
    private init(
        _ configuration: IssuerConfiguration, _ store: any IssuerStore, _ master: MasterKey, _ keys: KeyRing,
        _ redis: RedisPort?, _ audit: AuditLog, _ passwords: PasswordHasher, clock: IssuerClock, logger: Logger,
        _ devSecrets: [NewClientSecret]
    ) {
        let hasher = ClientSecretHasher(pepper: master.pepper)
        self.store = store
        self.keys = keys
        self.rotation = KeyRotation(
            ring: keys, age: configuration.keyAge, clock: clock, audit: audit, logger: logger)
        self.url = IssuerURL(configured: configuration.issuer)
        self.tokens = TokenService(
            authentication: ClientAuthentication(store: store, hasher: hasher, clock: clock),
            limiter: Self.limiter(configuration.redis, redis, master, audit.metrics, logger), keys: keys,
            audiences: configuration.audiences, clock: clock)
        let publisher = Self.publisher(configuration.redis, redis, store, clock, logger)
        self.revocations = RevocationService(
            store: store, keys: keys, refreshTokens: RefreshTokenFormat(key: master.refreshTokens),
            publisher: publisher, clock: clock, audit: audit)
        self.clients = ClientAdministration(
            store: store, hasher: hasher, clock: clock, audit: audit, publisher: publisher)
        self.serviceKeys = ServiceKeyService(
            store: store, hasher: ServiceKeyHasher(pepper: master.serviceKeyPepper), clock: clock, audit: audit)
        self.people = UserServices(
            tokens: self.tokens, revocations: self.revocations, serviceKeys: self.serviceKeys, passwords: passwords)
        self.audit = audit
        self.clock = clock
        self.trustedProxies = configuration.trustedProxies
        self.devSecrets = devSecrets
    }

    private static func limiter(
        _ configuration: RedisConfiguration?, _ redis: RedisPort?, _ master: MasterKey, _ metrics: IssuerMetrics,
        _ logger: Logger
    ) -> any RateLimiting {
        guard let configuration, let redis else { return RateLimiter() }
        return RedisRateLimiter(
            redis: redis, prefix: configuration.limits, secret: master.counterNames, metrics: metrics, logger: logger)
    }

    private static func publisher(
        _ configuration: RedisConfiguration?, _ redis: RedisPort?, _ store: any IssuerStore, _ clock: IssuerClock,
        _ logger: Logger
    ) -> RevocationPublisher? {
        guard let configuration, let redis else { return nil }
        return RevocationPublisher(
            store: store, redis: redis, name: configuration.revocations, clock: clock, logger: logger)
    }

    func router() -> Router<IssuerContext> {
        self.routes().router
    }

    /// Everything that is served.
    func routes() -> RouteList {
        let router = Router(context: IssuerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: RequestMiddleware(
                clock: self.clock, proxies: self.trustedProxies, metrics: self.audit.metrics))
        var routes = RouteList(router: router)
        TokenEndpoints(service: self.tokens, issuer: self.url, audit: self.audit).register(in: &routes)
        let gate = AdminGate(
            checker: TokenChecker(store: self.store, keys: self.keys, clock: self.clock), issuer: self.url,
            audit: self.audit)
        ServiceClientEndpoints(clients: self.clients, gate: gate).register(in: &routes)
        ServiceKeyEndpoints(keys: self.serviceKeys, gate: gate).register(in: &routes)
        self.people.register(in: &routes, gate: gate)
        MetadataEndpoints(keys: self.keys, store: self.store, issuer: self.url).register(in: &routes)
        HealthEndpoint(store: self.store).register(in: &routes)
        OpenAPIEndpoint(issuer: self.url).register(in: &routes)
        routes.refuseOtherMethods()
        return routes
    }
}
