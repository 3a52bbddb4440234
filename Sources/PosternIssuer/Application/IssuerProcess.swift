import Hummingbird
public import Logging
import NIOCore
import PosternCore
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `postern-issuer run`, from a checked configuration to the exit code.
public struct IssuerProcess: Sendable {
    private let configuration: IssuerConfiguration
    private let logger: Logger
    /// Takes the lines for standard output.
    private let output: @Sendable (String) -> Void

    public init(
        _ configuration: IssuerConfiguration, logger: Logger, output: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.logger = logger
        self.output = output
    }

    /// Serves until SIGTERM or SIGINT. Throws `IssuerFailure`.
    public func run() async throws {
        // What is made from here on, the store above all, is its owner's alone.
        umask(0o077)
        do {
            let file = try self.configuration.audit.path.map { path in try LineOutput(appendingTo: path) }
            let issuer = try await Issuer.open(
                self.configuration, logger: self.logger, auditLines: self.auditLines(file))
            try await self.serve(issuer, file)
        } catch {
            throw IssuerFailure(error)
        }
    }

    private func auditLines(_ file: LineOutput?) -> @Sendable (String) -> Void {
        guard let file else { return self.output }
        let logger = self.logger
        return { line in
            if !file.write(line) { logger.error("the audit log cannot be written") }
        }
    }

    private func serve(_ issuer: Issuer, _ auditFile: LineOutput?) async throws {
        let wanted = self.configuration.listen
        let application = Application(
            router: issuer.router(),
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))),
            configuration: .init(address: .hostname(wanted.host, port: wanted.port)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? wanted.port
                let address = ListenAddress(host: wanted.host, port: port)
                issuer.url.listens(on: address)
                self.announce(issuer, on: address)
            },
            logger: self.logger
        )
        // They end in the opposite order: what was revoked last is published, what was given last is in the table.
        var services = ServiceGroupConfiguration(
            services: self.background(issuer, auditFile) + [application], gracefulShutdownSignals: [.sigterm, .sigint],
            logger: self.logger)
        // Whoever holds a request open does not hold up the stop.
        services.maximumGracefulShutdownDuration = .seconds(10)
        do {
            try await ServiceGroup(configuration: services).run()
        } catch let error as IOError {
            let reason =
                error.errnoCode == EADDRINUSE ? "another process already listens there" : String(describing: error)
            throw IssuerStartError.listen("cannot listen on \(wanted): \(reason)")
        }
    }

    private func background(_ issuer: Issuer, _ auditFile: LineOutput?) -> [any Service] {
        var services: [any Service] = [issuer.audit]
        if let publisher = issuer.revocations.publisher { services.append(publisher) }
        if let retention = self.configuration.audit.retention {
            services.append(
                AuditRetention(store: issuer.store, retention: retention, clock: issuer.clock, logger: self.logger))
        }
        if let auditFile { services.append(AuditFileReopening(file: auditFile, logger: self.logger)) }
        return services
    }

    private func announce(_ issuer: Issuer, on address: ListenAddress) {
        if self.configuration.dev {
            self.logger.warning(
                """
                development mode: the secrets of the reference clients are printed below; \
                never use this store, these clients or this key for anything real
                """)
            for client in issuer.devSecrets { self.output(client.line) }
        }
        if let redis = self.configuration.redis {
            self.logger.info(
                "revocations are published",
                metadata: ["redis": "\(redis.url.redacted)", "channel": "\(redis.revocations)"])
        } else {
            self.logger.warning(
                "revocations are kept in the store, but not published: without --redis no proxy learns of them")
        }
        self.output("postern-issuer listening on \(address)")
    }
}
