import NIOPosix
import PosternCore
import PosternRedis
import Testing

@testable import PosternIssuer

@Suite(.timeLimit(.minutes(1))) struct RedisRateLimiterTests {
    private let limits = RateLimits(perMinute: 3, perHour: 5)
    private static let now = 1_760_000_000.0

    /// A limiter on a connection of its own, which is up.
    private func limiter(
        _ server: RedisProcess, secret: UInt8 = 1, log: LogCapture = LogCapture()
    ) async throws -> (RedisRateLimiter, RedisPort) {
        let port = try await self.port(server)
        let limiter = RedisRateLimiter(
            redis: port, prefix: "postern:limits:", secret: [UInt8](repeating: secret, count: 32), logger: log.logger)
        return (limiter, port)
    }

    private func port(_ server: RedisProcess) async throws -> RedisPort {
        let port = try RedisPort(try server.configuration(), eventLoop: MultiThreadedEventLoopGroup.singleton.any())
        let (ups, up) = AsyncStream.makeStream(of: Bool.self)
        port.start { isUp, _ in up.yield(isUp) }
        for await isUp in ups where isUp { break }
        return port
    }

    @Test("The rule is that of the limiter in process, by every step of a long row of requests")
    func sameRule() async throws {
        try await RedisProcess.with { server in
            let (limiter, port) = try await self.limiter(server)
            let inProcess = RateLimiter()
            // Minutes and hours that end, requests that are refused, a clock a little behind, one set back by far.
            let steps: [Double] = [
                0, 0, 0, 0, 30.5, 59.9, 60, 61, 60.5, 90, 119.9, 120, 3599, 3599.5, 3600, 3601, 3661, 3661, 3661, 3661,
                -90_000, -90_000, -89_999, -89_999, -89_940,
            ]
            for step in steps {
                let now = Self.now + step
                let asked = await limiter.wait(for: "a", windows: self.limits.windows, now: now)
                #expect(asked == inProcess.wait(for: "a", windows: self.limits.windows, now: now), "\(step)")
                let taken = await limiter.take("a", limits: self.limits, now: now)
                #expect(taken == inProcess.take("a", windows: self.limits.windows, now: now), "\(step)")
            }
            #expect(!limiter.isAway)
            await port.stop()
        }
    }

    @Test("Replicas count together; other keys and other issuers do not")
    func together() async throws {
        try await RedisProcess.with { server in
            let (one, first) = try await self.limiter(server)
            let (two, second) = try await self.limiter(server)
            let (other, third) = try await self.limiter(server, secret: 2)
            for limiter in [one, two, one] {
                #expect(await limiter.take("a", limits: self.limits, now: Self.now) == nil)
            }
            #expect(await two.take("a", limits: self.limits, now: Self.now) == 60)
            #expect(await two.take("b", limits: self.limits, now: Self.now) == nil)
            #expect(await other.take("a", limits: self.limits, now: Self.now) == nil)
            for port in [first, second, third] { await port.stop() }
        }
    }

    @Test("A key's name says nothing, has the prefix, and is forgotten with its last window; asking leaves nothing")
    func keys() async throws {
        try await RedisProcess.with { server in
            let observer = try await RedisObserver(server)
            let (limiter, port) = try await self.limiter(server)
            _ = await limiter.wait(for: "alice@example.com", windows: self.limits.windows, now: Self.now)
            #expect(try await observer.send("DBSIZE") == .integer(0))
            _ = await limiter.take("alice@example.com", limits: self.limits, now: Self.now)
            guard case .array(let names) = try await observer.send("KEYS *"), case .string(let bytes)? = names.first
            else { throw StoreRefusal.missing }
            let name = String(decoding: bytes, as: UTF8.self)
            #expect(names.count == 1 && name == limiter.name(of: "alice@example.com"))
            #expect(name.hasPrefix("postern:limits:{") && name.hasSuffix("}") && !name.contains("alice"))
            guard case .integer(let rest) = try await observer.send("PTTL \(name)") else { throw StoreRefusal.missing }
            #expect((3_590_000...3_600_000).contains(rest))
            await port.stop()
            await observer.stop()
        }
    }

    @Test("The digest is that of the script")
    func digest() async throws {
        try await RedisProcess.with { server in
            let port = try await self.port(server)
            let load = [Array("SCRIPT".utf8), Array("LOAD".utf8), Array(RateLimitScript.text.utf8)]
            let answer = try await port.send([load], key: [])[0].get()
            #expect(answer == .string(Array(RateLimitScript.digest.utf8)))
            await port.stop()
        }
    }

    @Test("While Redis refuses, each process counts for itself; one line says so, and one that it is over")
    func refused() async throws {
        try await RedisProcess.with { server in
            let log = LogCapture()
            let observer = try await RedisObserver(server)
            let (limiter, port) = try await self.limiter(server, log: log)
            let name = limiter.name(of: "a")
            try await observer.send("SET \(name) x")
            for _ in 0..<3 { #expect(await limiter.take("a", limits: self.limits, now: Self.now) == nil) }
            #expect(await limiter.take("a", limits: self.limits, now: Self.now) == 60)
            #expect(limiter.isAway)
            try await observer.send("DEL \(name)")
            for _ in 0..<3 { #expect(await limiter.take("a", limits: self.limits, now: Self.now) == nil) }
            #expect(!limiter.isAway)
            let lines = log.text.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.contains("each process counts for itself") == true)
            #expect(lines.first?.contains("WRONGTYPE") == true && lines.last?.contains("together again") == true)
            await port.stop()
            await observer.stop()
        }
    }

    @Test("Without a connection nobody waits: each process counts for itself")
    func away() async throws {
        let log = LogCapture()
        let port = try RedisPort(
            RedisConfiguration(url: try RedisURL("redis://127.0.0.1:1")),
            eventLoop: MultiThreadedEventLoopGroup.singleton.any())
        let limiter = RedisRateLimiter(redis: port, prefix: "x:", secret: [1], logger: log.logger)
        for _ in 0..<3 { #expect(await limiter.take("a", limits: self.limits, now: Self.now) == nil) }
        #expect(await limiter.take("a", limits: self.limits, now: Self.now) == 60)
        #expect(log.text.split(separator: "\n").count == 1)
    }

    @Test(
        "Whatever somebody else has written there, nobody waits for longer than two windows",
        arguments: [
            ("0", "99", nil), ("x", "99", nil), ("", "", nil), ("1760000000000", "2", nil),
            ("1760000000000", "3", 60), ("1760000059000", "99", 119), ("1760000061000", "99", nil),
            ("1e300", "99", nil), ("nan", "99", nil), ("1760000000000", "nan", nil),
        ] as [(String, String, Int?)])
    func foreign(_ start: String, _ count: String, _ expected: Int?) async throws {
        try await RedisProcess.with { server in
            let (limiter, port) = try await self.limiter(server)
            let key = Array(limiter.name(of: "a").utf8)
            let fields = ["s60000", start, "n60000", count].map { Array($0.utf8) }
            _ = await port.send([[Array("HSET".utf8), key] + fields], key: key)
            #expect(await limiter.take("a", limits: self.limits, now: Self.now) == expected)
            await port.stop()
        }
    }
}
