import ArgumentParser
import Logging
import PosternIssuer

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Serves tokens, keys and metadata until it is told to stop.",
        discussion: """
            Every option can be given in the environment instead: POSTERN_ISSUER_LISTEN, POSTERN_ISSUER_ADMIN_LISTEN, \
            POSTERN_ISSUER_ISSUER, \
            POSTERN_ISSUER_AUDIENCE (separated by spaces or commas), POSTERN_ISSUER_STORE, POSTERN_ISSUER_ALGORITHM, \
            POSTERN_ISSUER_KEY_FILE, POSTERN_ISSUER_KEY_AGE, POSTERN_ISSUER_TRUSTED_PROXIES, POSTERN_ISSUER_REDIS, \
            POSTERN_ISSUER_REDIS_CA, POSTERN_ISSUER_REDIS_KEY_PREFIX, POSTERN_ISSUER_AUDIT_LOG, \
            POSTERN_ISSUER_AUDIT_RETENTION, POSTERN_ISSUER_LOG_LEVEL, POSTERN_ISSUER_DEV. Only there: \
            POSTERN_ISSUER_KEY holds the key itself instead of a file, POSTERN_ISSUER_REDIS_PASSWORD and \
            POSTERN_ISSUER_STORE_PASSWORD the passwords for Redis and PostgreSQL.
            """
    )

    @Flag(
        help: """
            Development: loopback only, with the clients mt5-api-service and trading-dashboard, whose secrets are \
            printed. They follow from the key file; POSTERN_ISSUER_DEV_SECRET_MT5_API_SERVICE and \
            POSTERN_ISSUER_DEV_SECRET_TRADING_DASHBOARD set others (at least 32 characters).
            """)
    var dev = false

    @Option(help: "HOST:PORT to listen on (default 127.0.0.1:8000); port 0 takes a free one, which is printed.")
    var listen: String?

    @Option(help: "HOST:PORT for /metrics, /livez and /readyz (default: none of them).")
    var adminListen: String?

    @Option(help: "The URL of this issuer, for `iss` and metadata (default with --dev: the address listened on).")
    var issuer: String?

    @Option(help: "A service that accepts the tokens, for `aud`; repeat for more (default with --dev: mt5-api).")
    var audience: [String] = []

    @OptionGroup var store: StoreOptions
    @OptionGroup var algorithm: AlgorithmOption

    @Option(
        help: """
            Addresses and CIDR blocks, separated by commas, of the proxies in front of the issuer: from these alone \
            X-Forwarded-For is believed, for allowed_ips, limits and the audit log.
            """)
    var trustedProxies: String?

    @OptionGroup var redis: RedisOptions

    @Option(help: "How long a signing key signs before another follows it: 90d (default), 12h …; 0 for ever.")
    var keyAge: String?

    @Option(
        help: "Where the audit log's lines go: - for standard output (default), or a file, opened anew at SIGHUP.")
    var auditLog: String?

    @Option(help: "How long the audit table remembers: 90d (default), 12h …; 0 for ever.")
    var auditRetention: String?

    @Option(help: "trace, debug, info (default), notice, warning, error or critical.")
    var logLevel: String?

    func run() async throws {
        IssuerProcess.fitEventLoops()
        var options = self.store.options
        options.dev = self.dev
        options.listen = self.listen
        options.adminListen = self.adminListen
        options.issuer = self.issuer
        options.audience = self.audience
        options.trustedProxies = self.trustedProxies
        options.algorithm = self.algorithm.algorithm
        self.redis.apply(to: &options)
        options.keyAge = self.keyAge
        options.auditLog = self.auditLog
        options.auditRetention = self.auditRetention
        options.logLevel = self.logLevel
        try await Terminal.reporting {
            let configuration = try IssuerConfiguration.resolve(options, Terminal.environment)
            var logger = Logger(label: "postern-issuer") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = configuration.logLevel
            try await IssuerProcess(configuration, logger: logger, output: Terminal.line).run()
        }
    }
}
