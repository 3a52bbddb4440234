/// What the issuer does for users and for the services that ask about them.
struct UserServices: Sendable {
    let administration: UserAdministration
    let sessions: SessionService
    let introspection: TokenIntrospection
    let revocations: RevocationService
    let serviceKeys: ServiceKeyService

    init(
        tokens: TokenService, revocations: RevocationService, serviceKeys: ServiceKeyService,
        passwords: PasswordHasher
    ) {
        let (store, clock, publisher) = (revocations.store, revocations.clock, revocations.publisher)
        self.revocations = revocations
        self.administration = UserAdministration(
            store: store, passwords: passwords, publisher: publisher, clock: clock, audit: revocations.audit)
        self.sessions = SessionService(
            store: store, clients: tokens.authentication, passwords: passwords,
            throttle: LoginThrottle(limiter: tokens.limiter, clock: clock),
            tokens: SessionTokens(keys: tokens.keys, audiences: tokens.audiences, format: revocations.refreshTokens),
            publisher: publisher, clock: clock, audit: revocations.audit)
        self.introspection = TokenIntrospection(
            checker: TokenChecker(store: store, keys: tokens.keys, clock: clock),
            refreshTokens: revocations.refreshTokens)
        self.serviceKeys = serviceKeys
    }

    /// The endpoints.
    func register(in routes: inout RouteList, gate: AdminGate) {
        let issuer = gate.issuer
        let callers = CallerAuthentication(
            clients: self.sessions.clients, serviceKeys: self.serviceKeys, issuer: issuer, audit: gate.audit)
        UserEndpoints(service: self.administration, gate: gate).register(in: &routes)
        SessionEndpoints(service: self.sessions, gate: gate, issuer: issuer).register(in: &routes)
        IntrospectionEndpoints(service: self.introspection, callers: callers, issuer: issuer).register(in: &routes)
        RevocationEndpoint(service: self.revocations, callers: callers, issuer: issuer).register(in: &routes)
    }
}
