/// Makes a `Configuration` of what the schema reader has read, and finds what no single value shows: two things that
/// contradict each other, names that nobody declared, files that do not hold what they should.
///
/// Everything is looked at even after a problem, so that all of them come out at once.
struct ConfigurationDecoder {
    var reader: SchemaReader
    private(set) var warnings: [ConfigurationProblem] = []
    /// Every `revocation` that works only with Redis.
    var needsRedis: [Field] = []

    init(environment: ConfigurationEnvironment) {
        self.reader = SchemaReader(environment: environment)
    }

    mutating func report(_ message: String, at field: Field, suggestion: String? = nil) {
        self.reader.report(message, at: field.mark, path: field.path, suggestion: suggestion)
    }

    mutating func warn(_ message: String, at mark: Mark, path: String) {
        self.warnings.append(ConfigurationProblem(.warning, mark: mark, path: path, message: message))
    }

    mutating func load(_ document: ConfigurationNode) -> Result<LoadedConfiguration, ConfigurationProblems> {
        let configuration = self.decode(document)
        if let configuration, self.reader.problems.isEmpty {
            let warnings = ConfigurationProblems(self.warnings).problems
            return .success(LoadedConfiguration(configuration: configuration, warnings: warnings))
        }
        return .failure(ConfigurationProblems(self.reader.problems + self.warnings))
    }

    private mutating func decode(_ document: ConfigurationNode) -> Configuration? {
        guard case .mapping(let pairs, let mark) = document else {
            self.reader.report(
                document.isNull ? "the file is empty" : "the file must be a mapping: \"key: value\" lines",
                at: document.mark, path: "")
            return nil
        }
        guard let root = self.reader.readSection(pairs, mark: mark, as: Shape.document, path: "") else { return nil }
        let paths = Self.paths(root)
        let listen = self.listeners(root)
        let upstream = root["upstream"].flatMap { self.upstream($0) }
        let admin = self.admin(root)
        let issuers = self.issuers(root)
        let redis = self.redis(root)
        self.checkRedis(root: root)
        let identity = self.identity(root)
        let routes = self.routes(root, options: paths, issuers: issuers)
        let limits = self.limits(root)
        let trusted = self.trustedProxies(root)
        let cors = self.cors(root)
        let tracing = self.tracing(root, service: root["service"]?.text)
        self.checkAddresses(listen: listen, admin: admin, root: root)
        self.checkProxyProtocol(root, trusted: trusted)
        self.checkLoops(listen: listen, upstream: upstream, routes: routes)
        self.checkVerification(root: root, routes: routes)
        self.checkTunnels(root: root, issuers: issuers)
        if root["routes"] == nil, root["default"]?.word == "deny", !self.reader.hasProblem(under: "routes") {
            self.warn("there are no routes: every request is refused", at: mark, path: "routes")
        }
        guard let upstream, let admin, let limits, let timeouts = Self.timeouts(root), let log = Self.log(root),
            let service = root["service"]?.text, let trusted, let forwardToken = root["forward_token"]?.boolean,
            let access = root["default"]?.word.flatMap({ Configuration.DefaultAccess(rawValue: $0) }),
            let atExpiry = root["tunnel_at_expiry"]?.word.flatMap({ Configuration.TunnelAtExpiry(rawValue: $0) })
        else { return nil }
        return Configuration(
            listen: listen, upstream: upstream, admin: admin, issuers: issuers, redis: redis,
            identity: identity, forwardToken: forwardToken, defaultAccess: access,
            cors: cors,
            routes: routes, paths: paths, limits: limits, timeouts: timeouts, tunnelAtExpiry: atExpiry, log: log,
            tracing: tracing, eventLoops: root["event_loops"]?.integer, trustedProxies: trusted,
            realm: root["realm"]?.text ?? service,
            service: service)
    }
}
