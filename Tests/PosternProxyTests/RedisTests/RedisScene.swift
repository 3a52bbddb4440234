import NIOCore
import NIOPosix
import PosternCore
import PosternCrypto
import PosternRedis
import Synchronization
import Testing

@testable import PosternProxy

/// One event loop's use of a Redis whose server a test is.
final class RedisScene: Sendable {
    let server: RedisServer
    let eventLoop: any EventLoop
    let tier: NIOLoopBound<RedisTier>
    private let refused: Refused

    private final class Refused: Sendable {
        let reasons = Mutex<[RedisTier.Rejection]>([])
    }

    /// Connects, and waits until that succeeded.
    ///
    /// - Parameter timeout: of a command; by default none that a test could meet.
    init(timeout: TimeAmount = .minutes(10)) async throws {
        let server = try await RedisServer()
        let eventLoop = RedisServer.group.next()
        let setup = try Self.setup(port: server.port, "")
        var settings = setup.settings
        settings.timeout = timeout
        let reached = settings
        let refused = Refused()
        let (ups, continuation) = AsyncStream.makeStream(of: Bool.self)
        self.tier = try await eventLoop.submit {
            let client = RedisClient(eventLoop: eventLoop, settings: reached) { isUp, _ in
                continuation.yield(isUp)
            }
            client.start()
            let tier = RedisTier(setup, client: client) { _, reason in refused.reasons.withLock { $0.append(reason) } }
            return NIOLoopBound(tier, eventLoop: eventLoop)
        }.get()
        self.server = server
        self.eventLoop = eventLoop
        self.refused = refused
        for await isUp in ups where isUp { break }
    }

    deinit {
        let tier = self.tier
        self.eventLoop.execute { tier.value.client.stop() }
    }

    /// Why entries did not count so far.
    var rejections: [RedisTier.Rejection] { self.refused.reasons.withLock { $0 } }

    static let seal = "0123456789abcdef0123456789abcdef"

    /// `redis` of a configuration; the first seal seals.
    static func setup(
        port: Int = 6379, url: String? = nil, seals: [String] = [RedisScene.seal], _ more: String
    ) throws -> RedisSetup {
        let url = url ?? "redis://127.0.0.1:\(port)"
        let seal = seals.map { "\"\($0)\"" }.joined(separator: ", ")
        let configuration = try Snapshots.configuration(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers: {a: {introspection: {url: "http://127.0.0.1:1", credentials: {bearer: k}, timeout: 20s}}}
            routes: {GET /: public}
            redis: {url: "\(url)", seal: [\(seal)]\(more.isEmpty ? "" : ", \(more)")}

            """, file: "no certificate")
        return try RedisSetup(try #require(configuration.redis))
    }

    static func digest(_ token: String) -> TokenDigest { TokenDigest(of: Array(token.utf8).span.bytes) }

    // MARK: - Commands

    func read(_ token: String, _ bindings: EntryBindings) async throws -> RedisTier.Found {
        try await self.result { tier, promise in
            tier.read(Self.digest(token), bindings) { promise.succeed($0) }
        }
    }

    /// Stores an entry, and waits until Redis has it.
    func store(_ entry: CacheEntry, _ token: String, _ binding: [UInt8], milliseconds: Int64 = 1000) async throws {
        try await self.on { $0.store(entry, Self.digest(token), binding: binding, milliseconds: milliseconds) }
        _ = try await self.server.next("SET")
    }

    func lock(_ token: String, _ holder: String) async throws -> IntrospectionFlight.LockAnswer {
        try await self.result { tier, promise in
            tier.lock(Self.digest(token), holder: Array(holder.utf8), milliseconds: 3000) { promise.succeed($0) }
        }
    }

    var counts: RedisCounts {
        get async throws { try await self.on { $0.counts } }
    }

    func on<Value: Sendable>(_ body: @escaping @Sendable (RedisTier) -> Value) async throws -> Value {
        try await self.eventLoop.submit { body(self.tier.value) }.get()
    }

    private func result<Value: Sendable>(
        _ body: @escaping @Sendable (RedisTier, EventLoopPromise<Value>) -> Void
    ) async throws -> Value {
        try await self.eventLoop.flatSubmit {
            let promise = self.eventLoop.makePromise(of: Value.self)
            body(self.tier.value, promise)
            return promise.futureResult
        }.get()
    }
}
