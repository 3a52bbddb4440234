import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import PosternCore
import Synchronization

@testable import PosternIssuer

/// A folder of its own for one test. All of them are removed when the test process ends.
struct TemporaryFolder: Sendable {
    let path: String

    private static let root: String = {
        atexit { try? FileManager.default.removeItem(atPath: TemporaryFolder.root) }
        return NSTemporaryDirectory() + "postern-issuer-tests-" + UUID().uuidString
    }()

    init() throws {
        self.path = Self.root + "/" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    func file(_ name: String) -> String {
        self.path + "/" + name
    }
}

/// A clock that stands still until it is moved.
final class TestClock: Sendable {
    private let seconds: Mutex<Double>
    private let movesAsleep: Bool

    /// - Parameter movesAsleep: Whether who waits moves the clock on, instead of waiting.
    init(_ start: Double = 1_760_000_000, movesAsleep: Bool = false) {
        self.seconds = Mutex(start)
        self.movesAsleep = movesAsleep
    }

    func advance(by interval: Double) {
        self.seconds.withLock { $0 += interval }
    }

    var clock: IssuerClock {
        let now: @Sendable () -> Double = { self.seconds.withLock { $0 } }
        guard self.movesAsleep else { return IssuerClock(now: now) }
        return IssuerClock(now: now) { self.advance(by: $0) }
    }
}

/// Keeps every line at every level, metadata included.
final class LogCapture: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { self.lines.withLock { $0.joined(separator: "\n") } }

    func append(_ line: String) {
        self.lines.withLock { $0.append(line) }
    }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(capture: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let capture: LogCapture
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
            let members = metadata.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
            self.capture.append("\(event.level) \(event.message) [\(members)]")
        }
    }
}

/// A development issuer over a store in a temporary folder.
struct TestIssuer {
    static let url = "http://issuer.test"
    static let dashboardSecret = "dashboard-secret-0123456789-0123456789"
    static let serviceSecret = "service-secret-0123456789-0123456789"

    let folder: TemporaryFolder
    let clock: TestClock
    let issuer: Issuer
    let log = LogCapture()
    /// The lines of the audit log.
    let auditLines = LogCapture()

    init(
        folder: TemporaryFolder? = nil, algorithm: SignatureAlgorithm = .es256, audiences: [String] = ["mt5-api"],
        redis: RedisConfiguration? = nil, trustedProxies: [String] = [], clock: TestClock = TestClock(),
        passwords: PasswordHasher = .cheap
    ) async throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        self.clock = clock
        var configuration = Self.configuration(folder, algorithm: algorithm, audiences: audiences)
        configuration.redis = redis
        configuration.trustedProxies.blocks = trustedProxies.compactMap(AddressBlock.init)
        self.issuer = try await Issuer.open(
            configuration, clock: clock.clock, logger: self.log.logger, auditLines: self.auditLines.append,
            passwords: passwords)
    }

    static func configuration(
        _ folder: TemporaryFolder, algorithm: SignatureAlgorithm = .es256, audiences: [String] = ["mt5-api"]
    ) -> IssuerConfiguration {
        var configuration = IssuerConfiguration(
            dev: true, listen: ListenAddress(host: "127.0.0.1", port: 0), issuer: Self.url, audiences: audiences,
            store: StoreConfiguration(
                path: folder.file("issuer.sqlite"), keySource: .file(folder.file("key")), algorithm: algorithm),
            logLevel: .info,
            devSecrets: [
                "trading-dashboard": Self.dashboardSecret, "mt5-api-service": Self.serviceSecret,
            ])
        // Times in tests are made up: nothing is to be removed for its age.
        configuration.audit.retention = nil
        return configuration
    }

    /// A token of the dashboard.
    func token() async throws -> IssuedToken {
        let request = TokenRequest(
            .secret(clientID: "trading-dashboard", secret: Self.dashboardSecret))
        return try await self.issuer.tokens.issue(request, issuer: Self.url)
    }

    /// Registers an active client that may be used anywhere.
    func register(_ clientID: String, secret: String, scopes: [String]) async throws {
        let client = ServiceClient(
            clientID: clientID, isActive: true, isTrusted: false, accessTokenLifetime: 900,
            rateLimits: RateLimits(perMinute: 60, perHour: 1000), allowedAddresses: [], scopes: scopes)
        let digest = self.issuer.tokens.authentication.hasher.digest(secret, of: clientID)
        try await self.issuer.store.prepare(
            purpose: .development, clients: [ClientRegistration(client: client, secretDigest: digest)], scopes: scopes,
            now: self.clock.clock.now())
    }

    /// The members of the revocations in the store that are neither over nor published, oldest first.
    func revocations() async throws -> [String] {
        try await self.issuer.store.unpublishedRevocations(now: self.clock.clock.now(), limit: 1000).map(\.member)
    }

    /// Runs `test` against the router, where callers have no address, or against a live server on loopback. Every answer
    /// has to be one that `/openapi.json` describes.
    func serve(
        _ setup: TestingSetup = .router, _ test: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let application = Application(
            router: self.issuer.router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            logger: self.log.logger)
        try await application.test(setup) { try await test(ContractClient(client: $0)) }
    }

    /// A form that asks for a token as the dashboard.
    static func form(_ more: String = "") -> String {
        "client_id=trading-dashboard&client_secret=\(Self.dashboardSecret)\(more)"
    }
}

extension TestClientProtocol {
    /// POSTs a form.
    func post(_ path: String, _ form: String, _ headers: HTTPFields = [:]) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = headers[.contentType] ?? "application/x-www-form-urlencoded"
        return try await self.execute(uri: path, method: .post, headers: headers, body: ByteBuffer(string: form))
    }
}

extension TestResponse {
    /// The body as JSON, read by the core's strict reader.
    var json: JSONValue {
        get throws { try JSONReader.parse(Array(self.body.readableBytesView).span.bytes) }
    }
}

extension AuditEntry {
    /// An entry for calls where it does not matter.
    static let test = AuditEntry(time: 1000, action: .storePrepared, isAllowed: true)
}
