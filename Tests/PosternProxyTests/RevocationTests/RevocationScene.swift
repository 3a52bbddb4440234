import NIOCore
import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

/// A feed of revocations for two event loops, from a Redis that a test is.
final class RevocationScene: Sendable {
    let redis: RedisScene
    let log: OwnLog
    let rig: LoopRig
    private let feed: NIOLoopBound<RevocationFeed>

    var server: RedisServer { self.redis.server }
    var status: RevocationStatus { self.rig.services.revocations }

    /// Connects, but does not start yet.
    init(patience: TimeAmount = RevocationFeed.patience) async throws {
        let redis = try await RedisScene()
        let log = try OwnLog()
        let rig = try await LoopRig(loops: 2, log: log, shared: IntrospectionScene.group)
        self.feed = try await redis.eventLoop.submit {
            let feed = RevocationFeed(
                eventLoop: redis.eventLoop, redis: redis.tier.value, services: rig.services, patience: patience)
            return NIOLoopBound(feed, eventLoop: redis.eventLoop)
        }.get()
        self.redis = redis
        self.log = log
        self.rig = rig
    }

    deinit {
        let (feed, rig) = (self.feed, self.rig)
        self.redis.eventLoop.execute { feed.value.stop() }
        for loop in rig.loops { loop.eventLoop.execute { loop.value.closeAll() } }
    }

    func start() async throws { try await self.on { $0.start() } }
    func stop() async throws { try await self.on { $0.stop() } }

    private func on(_ body: @escaping @Sendable (RevocationFeed) -> Void) async throws {
        try await self.redis.eventLoop.submit { body(self.feed.value) }.get()
    }

    /// Starts with these members, and waits until they are loaded.
    func start(with members: [(String, String)]) async throws {
        self.server.setMembers(members)
        try await self.start()
        try self.waitForLoad()
    }

    func waitForLoad() throws { try self.log.wait(for: Self.loaded) }

    static let loaded = "revocations are loaded and heard of"
    static let lost = "revocations are not heard of: what is known of them holds"

    /// Returns when everything that was published before has been heard: a message that is no revocation is logged, once.
    func waitForMessages() throws {
        self.server.publish("no revocation")
        try self.log.wait(for: "something that is no revocation is among the revocations")
    }

    /// Returns when the feed has done everything that it wanted to do within `time` from now.
    func pass(_ time: TimeAmount) async throws {
        // What the event loop is doing now, it may be about to schedule.
        try await self.redis.eventLoop.submit {}.get()
        try await self.redis.eventLoop.scheduleTask(in: time) {}.futureResult.get()
    }

    /// Both event loops' word on a token with this id and subject: nil where it is accepted.
    func refusals(jti: String = "t0", sub: String = "u0", issuedAt: Double? = 100) async throws -> [Refusal?] {
        var refusals: [Refusal?] = []
        for index in self.rig.loops.indices {
            refusals.append(
                try await self.rig.on(index) { loop in
                    let facts = RevocationFacts(tokenID: jti, subjects: [sub], issuedAt: issuedAt)
                    let result = loop.intake.accept(
                        Principal(issuer: "asked", user: sub, expiresAt: .infinity),
                        token: Array(jti.utf8).span.bytes,
                        terms: TokenTerms(revocation: facts, needsRevocations: true), gate: loop.snapshot.gate,
                        now: SystemClock.unixTime)
                    if case .failure(let refusal) = result { return refusal }
                    return nil
                })
        }
        return refusals
    }

    /// How many revocations each event loop knows.
    func counts() async throws -> [Int] {
        var counts: [Int] = []
        for index in self.rig.loops.indices {
            counts.append(try await self.rig.on(index) { $0.currentMetrics().revocations })
        }
        return counts
    }

    /// A score in the future.
    static let later = "32503680000"
    static let revoked = Refusal(TokenProblem.revoked)

    static func member(jti: String) -> String { #"{"jti":"\#(jti)"}"# }
}
