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
        // They end in the opposite order: first it is known that the process stops, then the listener closes and requests
        // under way are answered; what was revoked last is published, what was given last is in the table.
        let services = self.background(issuer, auditFile) + [self.listener(issuer), issuer.stop]
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: self.logger)
        // Whoever holds a request open does not hold up the stop.
        group.maximumGracefulShutdownDuration = .seconds(10)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            await issuer.store.close()
            throw error
        }
        await issuer.store.close()
    }

    private func background(_ issuer: Issuer, _ auditFile: LineOutput?) -> [any Service] {
        var services: [any Service] = []
        if let wanted = self.configuration.adminListen { services.append(self.adminListener(issuer, wanted)) }
        services += [issuer.audit, issuer.rotation]
        if let publisher = issuer.revocations.publisher { services.append(publisher) }
        if let retention = self.configuration.audit.retention {
            services.append(
                AuditRetention(store: issuer.store, retention: retention, clock: issuer.clock, logger: self.logger))
        }
        if let auditFile { services.append(AuditFileReopening(file: auditFile, logger: self.logger)) }
        return services
    }

    private func listener(_ issuer: Issuer) -> any Service {
        self.listener(issuer.router(), self.configuration.listen) { address in
            issuer.url.listens(on: address)
            self.announce(issuer, on: address)
        }
    }

    private func adminListener(_ issuer: Issuer, _ wanted: ListenAddress) -> any Service {
        let output = self.output
        return self.listener(AdminEndpoints(issuer: issuer).router(), wanted) { address in
            output("postern-issuer admin listening on \(address)")
        }
    }

    /// - Parameter onOpen: Told the address when it is open, which has the port that the system chose where none was
    ///   wanted.
    private func listener<Context: InitializableFromSource<ApplicationRequestContextSource>>(
        _ router: Router<Context>, _ wanted: ListenAddress, onOpen: @escaping @Sendable (ListenAddress) -> Void
    ) -> any Service {
        let application = Application(
            router: router,
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))),
            configuration: .init(address: .hostname(wanted.host, port: wanted.port)),
            onServerRunning: { channel in
                onOpen(ListenAddress(host: wanted.host, port: channel.localAddress?.port ?? wanted.port))
            },
            logger: self.logger)
        return ListenerService(application: application, address: wanted)
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
