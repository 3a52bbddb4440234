import NIOCore
import NIOPosix
import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

/// Event loops that introspect tokens as the proxy does, with an issuer, and a Redis, whose servers a test is.
final class IntrospectionScene: Sendable {
    /// One entry of `issuers`.
    struct Issuer: Sendable {
        /// The path of its endpoint, too.
        var name = "asked"
        /// Of `introspection`, besides `url` and `credentials`.
        var settings = "timeout: 20s, cache: 1h"
    }

    /// Two event loops that all scenes share, and that stay.
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)

    let server: KeyServer
    let redis: RedisServer?
    let log: OwnLog
    let rig: LoopRig
    private let redisTimeout: String

    /// - Parameters:
    ///   - loops: one or two. Where there is a Redis, one: then it is up when this returns.
    ///   - server: of the issuers; by default an own one.
    init(
        _ issuers: [Issuer] = [Issuer()], loops: Int = 2, server: KeyServer? = nil, redis: RedisServer? = nil,
        redisTimeout: String = "5s"
    ) async throws {
        let server = if let server { server } else { try await KeyServer() }
        let log = try OwnLog()
        self.server = server
        self.redis = redis
        self.log = log
        self.redisTimeout = redisTimeout
        self.rig = try await LoopRig(
            loops: loops, policy: Self.policy(issuers, server, redis, redisTimeout), log: log, shared: Self.group)
        if redis != nil { try log.wait(for: "redis is up") }
    }

    deinit {
        let rig = self.rig
        rig.services.introspection.stop()
        for loop in rig.loops { loop.eventLoop.execute { loop.value.closeAll() } }
    }

    private static func policy(
        _ issuers: [Issuer], _ server: KeyServer, _ redis: RedisServer?, _ timeout: String
    ) -> String {
        let entries = issuers.map { issuer in
            let url = "\(server.url)/\(issuer.name)"
            let introspection = "{url: \"\(url)\", credentials: {bearer: key-1}, \(issuer.settings)}"
            return "  \(issuer.name): {introspection: \(introspection)}\n"
        }
        let store = redis.map {
            "redis: {url: \"redis://127.0.0.1:\($0.port)\", seal: \"\(RedisScene.seal)\", timeout: \(timeout)}\n"
        }
        return LoopRig.plain + "issuers:\n" + entries.joined() + (store ?? "")
    }

    /// The same with other issuers, and perhaps another Redis.
    func snapshot(_ issuers: [Issuer], redis: RedisServer? = nil) throws -> Snapshot {
        try Snapshots.make(
            Self.policy(issuers, self.server, redis ?? self.redis, self.redisTimeout), generation: 2,
            loops: self.rig.loops.count)
    }

    var service: IntrospectionService { self.rig.services.introspection }
    var issuers: [TrustedIssuer] { self.rig.snapshot.issuers }

    // MARK: - Tokens

    /// Has a token introspected for a request on one of the event loops; returns when the request waits.
    func begin(
        _ token: String = "token-1", loop index: Int = 0, issuers: [TrustedIssuer]? = nil,
        service: IntrospectionService? = nil
    ) async throws -> EventLoopFuture<IntrospectionVerdict> {
        let service = service ?? self.service
        return try await self.rig.on(index) { loop in
            let eventLoop = loop.eventLoop
            let promise = eventLoop.makePromise(of: IntrospectionVerdict.self)
            service.verify(Array(token.utf8), issuers: issuers ?? loop.snapshot.issuers, loop: loop) { finding in
                eventLoop.preconditionInEventLoop()
                promise.succeed(finding.verdict)
            }
            return promise.futureResult
        }
    }

    /// The verdict on a token that nobody has to be asked about.
    func verify(_ token: String = "token-1", loop: Int = 0) async throws -> IntrospectionVerdict {
        try await self.begin(token, loop: loop).get()
    }

    func metrics(_ index: Int = 0) async throws -> LoopMetrics {
        try await self.rig.on(index) { $0.currentMetrics() }
    }
}

extension IntrospectionVerdict {
    var accepted: Accepted? { if case .accepted(let accepted) = self { accepted } else { nil } }
    var user: String? { self.accepted?.principal.user }
    var problem: TokenProblem? { if case .rejected(let problem, _, _) = self { problem } else { nil } }
    var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
}
