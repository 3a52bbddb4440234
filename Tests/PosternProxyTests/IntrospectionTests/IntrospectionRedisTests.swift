import NIOCore
import NIOHTTP1
import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

/// What the processes tell each other about tokens by way of Redis. A scene is a process.
@Suite(.timeLimit(.minutes(1))) struct IntrospectionRedisTests {
    typealias Issuer = IntrospectionScene.Issuer

    private let redis: RedisServer
    private let server: KeyServer
    private let digest = RedisScene.digest("token-1")

    init() async throws {
        self.redis = try await RedisServer()
        self.server = try await KeyServer()
    }

    private func process(_ settings: String = "timeout: 20s, cache: 1h") async throws -> IntrospectionScene {
        try await IntrospectionScene([Issuer(settings: settings)], loops: 1, server: self.server, redis: self.redis)
    }

    private func keys() throws -> (entry: [UInt8], lock: [UInt8]) {
        let setup = try RedisScene.setup("")
        return (setup.key(of: self.digest), setup.lockKey(of: self.digest))
    }

    /// Puts an entry into Redis as another process had done it.
    private func put(_ entry: CacheEntry, for scene: IntrospectionScene) throws {
        let bindings = EntryBindings(scene.issuers)
        let binding = if case .active = entry { bindings.issuers[0] } else { bindings.negative }
        let octets = try #require(entry.serialized)
        self.redis[try self.keys().entry] = try RedisScene.setup("").seal.seal(
            octets, digest: self.digest, binding: binding)
    }

    private static func active(age: Double, _ user: String = "u1") -> CacheEntry {
        let members = [
            JSONValue.Member(name: "active", value: .bool(true)), .init(name: "sub", value: .string(user)),
        ]
        return .active(claims: .object(members), fetchedAt: SystemClock.unixTime - age)
    }

    // MARK: - One asks, the others know

    @Test func answerServesTheOtherProcessesAndKeepsItsAge() async throws {
        let (one, two) = (try await self.process(), try await self.process())
        let asked = try await one.begin()
        try await self.server.next().answerActive("user-of-the-token")
        let first = try #require(try await asked.get().accepted)
        #expect(first.source == .issuer)
        _ = try await self.redis.next("EVAL")
        #expect(self.redis.names == ["GET", "SET", "GET", "SET", "EVAL"])
        #expect(self.redis.keys == [try self.keys().entry], "the lock is given back")
        let second = try #require(try await two.verify().accepted)
        #expect(second.source == .redis)
        #expect(second.principal == first.principal)
        #expect(second.terms == first.terms)
        #expect(try await two.metrics().redis.hits == 1)
        #expect(self.server.paths.count == 1)
        for secret in ["token-1", "user-of-the-token", "active", "key-1", RedisScene.seal] {
            #expect(self.redis.octets.firstRange(of: Array(secret.utf8)) == nil, "\(secret)")
        }
    }

    @Test func rejectionServesTheOtherProcesses() async throws {
        let (one, two) = (try await self.process(), try await self.process())
        let asked = try await one.begin()
        try await self.server.next().answerInactive()
        #expect(try await asked.get().problem == .inactive)
        _ = try await self.redis.next("EVAL")
        #expect(try await two.verify().problem == .inactive)
        #expect(self.server.paths.count == 1)
        #expect(try await two.metrics().redis.hits == 1)
    }

    @Test func failureIsNotStored() async throws {
        let scene = try await self.process()
        let verdict = try await scene.begin()
        try await self.server.next().answer("", status: .internalServerError)
        #expect(try await verdict.get().isUnavailable)
        _ = try await self.redis.next("EVAL")
        #expect(self.redis.keys.isEmpty)
    }

    // MARK: - How long entries are kept

    @Test(arguments: [
        ("timeout: 20s, cache: 1h", #"{"active":true}"#, 3_600_000),
        ("timeout: 20s, cache: 30s, stale_if_error: 10s", #"{"active":true}"#, 40_000),
        ("timeout: 20s, negative_cache: 7s", #"{"active":false}"#, 7000),
    ])
    func entryIsKeptAsLongAsItMayServe(row: (String, String, Int)) async throws {
        let scene = try await self.process(row.0)
        let verdict = try await scene.begin()
        try await self.server.next().answerJSON(row.1)
        _ = try await verdict.get()
        #expect(try await self.stored() == row.2)
    }

    @Test func entryIsNotKeptLongerThanTheToken() async throws {
        let scene = try await self.process()
        let verdict = try await scene.begin()
        let expiry = SystemClock.unixTime + 100
        try await self.server.next().answerJSON(#"{"active":true,"exp":\#(Int(expiry))}"#)
        #expect(try await verdict.get().accepted != nil)
        let milliseconds = try #require(try await self.stored())
        #expect((1...100_000).contains(milliseconds))
    }

    @Test(arguments: [
        ("timeout: 20s, cache: 0s", #"{"active":true}"#), ("timeout: 20s, negative_cache: 0s", #"{"active":false}"#),
    ])
    func answerThatDoesNotHoldIsNotStored(row: (String, String)) async throws {
        let scene = try await self.process(row.0)
        let verdict = try await scene.begin()
        try await self.server.next().answerJSON(row.1)
        _ = try await verdict.get()
        #expect(try await self.stored() == nil)
    }

    /// For how many milliseconds the answer was stored; nil if it was not. After the flight's end, which is known by the
    /// release of the lock.
    private func stored() async throws -> Int? {
        _ = try await self.redis.next("EVAL")
        let sets = self.redis.received("SET").filter { !$0.contains("NX") }
        #expect(sets.count <= 1)
        return sets.first?.last.flatMap { Int($0) }
    }

    // MARK: - Entries of some age

    @Test(arguments: [0.5, 10, 3590, -3])
    func entryInItsTimeServes(age: Double) async throws {
        let scene = try await self.process()
        try self.put(Self.active(age: age), for: scene)
        let verdict = try await scene.verify()
        #expect(verdict.user == "u1")
        #expect(verdict.accepted?.source == .redis)
        // An entry of the future, from a pod whose clock is ahead, holds no longer than one of now.
        let fresh = try #require(verdict.accepted?.terms.freshUntil)
        #expect(abs(fresh - SystemClock.unixTime - 3600 + max(0, age)) < 30)
        #expect(self.server.paths.isEmpty)
    }

    /// Redis forgets entries in time: one that is older was put back, one of the future cannot be.
    @Test(arguments: [
        ("too old", 3700.0, "timeout: 20s, cache: 1h"), ("of the future", -60, "timeout: 20s, cache: 1h"),
        ("too old even for an outage", 7300, "timeout: 20s, cache: 1h, stale_if_error: 1h"),
    ])
    func entryOfAWrongAgeIsRefusedAndTheIssuerAsked(row: (String, Double, String)) async throws {
        let scene = try await self.process(row.2)
        try self.put(Self.active(age: row.1), for: scene)
        let verdict = try await scene.begin()
        try await self.server.next().answerActive("u2")
        #expect(try await verdict.get().user == "u2", "\(row.0)")
        #expect(try await verdict.get().accepted?.source == .issuer)
        let line = try scene.log.wait(for: "an entry in redis is ignored")
        #expect(line["reason"]?.string == RedisTier.Rejection.wrongAge.rawValue)
        let counts = try await scene.metrics().redis
        #expect(counts.rejected >= 1 && counts.hits == 0 && counts.expired == 0)
    }

    @Test func entryThatIsKeptForOutagesServesInOne() async throws {
        let scene = try await self.process("timeout: 20s, cache: 1h, stale_if_error: 1h")
        try self.put(Self.active(age: 5400), for: scene)
        let verdict = try await scene.begin()
        try await self.server.next().answer("", status: .internalServerError)
        let accepted = try #require(try await verdict.get().accepted)
        #expect(accepted.principal.user == "u1")
        #expect(accepted.source == .redis)
        #expect(accepted.terms.freshUntil < SystemClock.unixTime)
        #expect(accepted.terms.staleUntil > SystemClock.unixTime)
        #expect(try await scene.metrics().redis.expired >= 1)
    }

    @Test func entryThatIsKeptForOutagesDoesNotServeOtherwise() async throws {
        let scene = try await self.process("timeout: 20s, cache: 1h, stale_if_error: 1h")
        try self.put(Self.active(age: 5400), for: scene)
        let verdict = try await scene.begin()
        try await self.server.next().answerInactive()
        #expect(try await verdict.get().problem == .inactive)
    }

    @Test(arguments: [(10.0, true), (-3, true), (3700, false), (-60, false)])
    func negativeEntryServesInItsTime(row: (age: Double, serves: Bool)) async throws {
        let scene = try await self.process("timeout: 20s, negative_cache: 1h")
        try self.put(.negative(fetchedAt: SystemClock.unixTime - row.age), for: scene)
        let verdict = try await scene.begin()
        if !row.serves { try await self.server.next().answerActive() }
        let found = try await verdict.get()
        #expect((found.problem == .inactive) == row.serves)
        #expect(found.user == (row.serves ? nil : "u1"))
        #expect(try await scene.metrics().redis.hits == (row.serves ? 1 : 0))
    }

    // MARK: - The lock

    @Test func answerOfTheHolderIsWaitedFor() async throws {
        let scene = try await self.process()
        self.redis[try self.keys().lock] = Array("another process".utf8)
        let verdict = try await scene.begin()
        #expect(try await self.redis.next("SET").text.contains("NX"))
        try self.put(Self.active(age: 0), for: scene)
        #expect(try await verdict.get().accepted?.source == .redis)
        #expect(self.server.paths.isEmpty)
        #expect(self.redis[try self.keys().lock] == Array("another process".utf8))
    }

    @Test func holderThatDiedIsNotWaitedForToTheEnd() async throws {
        let scene = try await IntrospectionScene(
            [Issuer(settings: "timeout: 4s, cache: 1h")], loops: 1, server: self.server, redis: self.redis,
            redisTimeout: "500ms")
        self.redis[try self.keys().lock] = Array("a dead process".utf8)
        let verdict = try await scene.begin()
        try await self.server.next().answerActive()
        #expect(try await verdict.get().accepted?.source == .issuer)
        #expect(self.redis[try self.keys().lock] == Array("a dead process".utf8), "it is not ours to give back")
    }

    // MARK: - Redis in trouble

    @Test func withoutRedisTheIssuerIsAsked() async throws {
        let scene = try await self.process()
        self.redis.setDown(true)
        try scene.log.wait(for: "redis is down")
        let verdict = try await scene.begin()
        try await self.server.next().answerActive()
        #expect(try await verdict.get().user == "u1")
        #expect(self.redis.names.isEmpty)
        self.redis.setDown(false)
        try scene.log.wait(for: "redis is up")
    }

    @Test(arguments: [RESP.error("ERR no"), .integer(7)])
    func withARedisThatIsNoneTheIssuerIsAsked(reply: RESP) async throws {
        let scene = try await self.process()
        for name in ["GET", "SET", "EVAL"] { self.redis.set(.reply(reply), for: name) }
        let verdict = try await scene.begin()
        try await self.server.next().answerActive()
        #expect(try await verdict.get().user == "u1")
        #expect(try await scene.metrics().redis.errors >= 1)
    }

    @Test func silentRedisCostsItsTimeoutAndTheIssuerIsAsked() async throws {
        let scene = try await IntrospectionScene(
            loops: 1, server: self.server, redis: self.redis, redisTimeout: "100ms")
        for name in ["GET", "PING"] { self.redis.set(.silence, for: name) }
        let verdict = try await scene.begin()
        try await self.server.next().answerActive()
        #expect(try await verdict.get().user == "u1")
        try scene.log.wait(for: "redis is down")
    }

    // MARK: - Reload

    @Test func countsOutliveAnotherRedis() async throws {
        let scene = try await self.process()
        let verdict = try await scene.begin()
        try await self.server.next().answerActive()
        _ = try await verdict.get()
        let before = try await scene.metrics().redis
        #expect(before.misses == 2, "before the lock was had, and after")
        let other = try await RedisServer()
        let snapshot = try scene.snapshot([Issuer(settings: "timeout: 20s, cache: 1h")], redis: other)
        try await scene.rig.on(0) { $0.adopt(snapshot) }
        _ = try await other.next("PING")
        #expect(try await scene.metrics().redis.misses == 2)
    }

    @Test func sameRedisIsKeptAtAReload() async throws {
        let scene = try await self.process()
        let snapshot = try scene.snapshot([Issuer(settings: "timeout: 20s, cache: 30m")])
        let isSame = try await scene.rig.on(0) { loop in
            let before = loop.redis
            loop.adopt(snapshot)
            return loop.redis != nil && loop.redis === before
        }
        #expect(isSame)
    }

    @Test func redisThatIsNotConfiguredAnyMoreIsNotUsed() async throws {
        let scene = try await self.process()
        #expect(scene.rig.services.redis.isUp == true)
        let plain = try Snapshots.make(LoopRig.plain)
        try await scene.rig.on(0) { $0.adopt(plain) }
        #expect(scene.rig.services.redis.isUp == nil)
        #expect(try await scene.rig.on(0) { $0.redis == nil })
    }
}
