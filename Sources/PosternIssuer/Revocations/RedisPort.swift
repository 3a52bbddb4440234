import NIOCore
import NIOSSL
import PosternCore
import PosternRedis

/// The issuer's Redis: one client on its event loop, to be used from any task.
final class RedisPort: Sendable {
    typealias Answer = Result<RedisReply, RedisFailure>

    /// For one command. Revocations are few and matter, so that Redis is given longer than where a request waits for
    /// every answer.
    private static let timeout = TimeAmount.seconds(1)

    private let eventLoop: any EventLoop
    private let settings: RedisSettings
    /// Nil before the start and after the stop.
    private let client: NIOLoopBoundBox<RedisClient?>

    /// Throws `IssuerStartError.redis` if the certificates to trust cannot be read.
    init(_ configuration: RedisConfiguration, eventLoop: any EventLoop) throws {
        self.eventLoop = eventLoop
        self.settings = try Self.settings(configuration)
        self.client = .makeEmptyBox(eventLoop: eventLoop)
    }

    /// Begins to connect, and goes on until ``stop()``.
    ///
    /// - Parameter onStateChange: Told whether Redis can be used, and why it cannot, with every change.
    func start(onStateChange: @escaping @Sendable (Bool, String?) -> Void) {
        self.eventLoop.execute {
            let client = RedisClient(
                eventLoop: self.eventLoop, settings: self.settings, onStateChange: onStateChange)
            self.client.value = client
            client.start()
        }
    }

    /// Closes the connections. What still waits gets ``RedisFailure/closed``.
    func stop() async {
        await withCheckedContinuation { stopped in
            self.eventLoop.execute {
                self.client.value?.stop()
                self.client.value = nil
                stopped.resume()
            }
        }
    }

    /// Sends commands in one write and waits for all answers, which come in the order of the commands.
    ///
    /// - Parameter key: The key that all of them are about.
    func send(_ commands: [[[UInt8]]], key: [UInt8]) async -> [Answer] {
        guard !commands.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                guard let client = self.client.value else {
                    return continuation.resume(returning: commands.map { _ in .failure(.closed) })
                }
                let answers = Answers(count: commands.count, continuation)
                for (index, command) in commands.enumerated() {
                    client.send(command, key: key) { answers.take($0, at: index) }
                }
            }
        }
    }

    /// Gathers the answers of one batch.
    private final class Answers {
        private var answers: [Answer]
        private var missing: Int
        private let continuation: CheckedContinuation<[Answer], Never>

        init(count: Int, _ continuation: CheckedContinuation<[Answer], Never>) {
            self.answers = Array(repeating: .failure(.closed), count: count)
            self.missing = count
            self.continuation = continuation
        }

        func take(_ answer: Answer, at index: Int) {
            self.answers[index] = answer
            self.missing -= 1
            if self.missing == 0 { self.continuation.resume(returning: self.answers) }
        }
    }
}

// MARK: - Settings

extension RedisPort {
    private static func settings(_ configuration: RedisConfiguration) throws -> RedisSettings {
        let url = configuration.url
        return RedisSettings(
            topology: Self.topology(url.topology), tls: try Self.tls(configuration), user: url.user,
            password: url.password?.bytes, database: url.database, timeout: Self.timeout)
    }

    private static func topology(_ topology: Configuration.Redis.Topology) -> RedisSettings.Topology {
        func address(_ node: Configuration.Redis.Node) -> RedisAddress { .init(host: node.host, port: node.port) }
        return switch topology {
        case .single(let node): .single(address(node))
        case .sentinel(let nodes, let master): .sentinel(nodes.map(address), master: master)
        case .cluster(let nodes): .cluster(nodes.map(address))
        }
    }

    private static func tls(_ configuration: RedisConfiguration) throws -> NIOSSLContext? {
        guard configuration.url.usesTLS else { return nil }
        var tls = TLSConfiguration.makeClientConfiguration()
        do {
            if let path = configuration.ca {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            }
            return try NIOSSLContext(configuration: tls)
        } catch {
            let what = configuration.ca.map { "\($0) holds no certificates in PEM that can be read" }
            throw IssuerStartError.redis(what ?? "TLS cannot be set up: \(error)")
        }
    }
}
