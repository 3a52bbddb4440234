import NIOCore
import NIOPosix
import Testing

@testable import PosternRedis

/// The client and its circuit over real TCP. The timeout is generous where nothing is to time out.
@Suite(.timeLimit(.minutes(1))) struct RedisClientTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private func settings(_ redis: FakeRedis, timeout: TimeAmount = .seconds(10)) -> RedisSettings {
        RedisSettings(topology: .single(redis.address), timeout: timeout)
    }

    @Test func commandsAreAnswered() async throws {
        let redis = try await FakeRedis.start(on: self.loop) { command, _ in
            command.first == "GET" ? .say("$3\r\nabc\r\n") : ordinary(command)
        }
        var settings = self.settings(redis)
        settings.password = bytes("p")
        settings.database = 2
        let client = try await LiveClient.start(settings)
        #expect(await client.change() == .init(isUp: true, reason: nil))
        #expect(try await client.onLoop { $0.isUp && $0.reason == nil })
        let results = try await client.send(["GET", "a"], ["SET", "a", "b"], key: "a")
        #expect(results == [.success(.string(bytes("abc"))), .success(.status("OK"))])
        #expect(try await redis.commands() == ["AUTH p", "SELECT 2", "PING", "GET a", "SET a b"])
        try await client.stop()
        #expect(await client.restOfChanges() == [])
        try await redis.stop()
    }

    @Test func withoutARedisItRefusesAtOnce() async throws {
        // A port that was free a moment ago.
        let redis = try await FakeRedis.start(on: self.loop) { _, _ in .silence }
        try await redis.stop()
        let client = try await LiveClient.start(self.settings(redis))
        #expect(await client.change() == .init(isUp: false, reason: "\(redis.address): connection refused"))
        #expect(try await client.send(["GET", "a"]) == [.failure(.unavailable)])
        let again = try await FakeRedis.start(on: self.loop, port: redis.address.port) { command, _ in
            ordinary(command)
        }
        #expect(await client.change() == .init(isUp: true, reason: nil))
        try await client.stop()
        try await again.stop()
    }

    @Test func aFrozenRedisCostsOneTimeout() async throws {
        let redis = try await FakeRedis.start(on: self.loop) { command, connection in
            // The first connection freezes after its greeting; the second never answers; the third is well again.
            switch (connection, command.first) {
            case (1, "GET"), (2, _): .silence
            default: ordinary(command)
            }
        }
        let client = try await LiveClient.start(self.settings(redis, timeout: .seconds(1)))
        #expect(await client.change()?.isUp == true)
        #expect(try await client.send(["GET", "a"], ["GET", "b"]) == [.failure(.timedOut), .failure(.timedOut)])
        #expect(await client.change() == .init(isUp: false, reason: "\(redis.address): no answer in time"))
        #expect(try await client.send(["GET", "c"]) == [.failure(.unavailable)])
        #expect(await client.change() == .init(isUp: true, reason: nil))
        #expect(try await client.send(["GET", "d"]) == [.success(.status("OK"))])
        #expect(try await redis.commands().filter { $0.hasPrefix("GET") } == ["GET a", "GET b", "GET d"])
        try await client.stop()
        try await redis.stop()
    }

    @Test func garbageEndsTheConnection() async throws {
        let redis = try await FakeRedis.start(on: self.loop) { command, connection in
            connection == 1 && command.first == "GET" ? .say("garbage\r\n") : ordinary(command)
        }
        let client = try await LiveClient.start(self.settings(redis))
        #expect(await client.change()?.isUp == true)
        #expect(
            try await client.send(["GET", "a"], ["GET", "b"]) == [.failure(.protocolError), .failure(.protocolError)])
        #expect(await client.change()?.isUp == false)
        #expect(await client.change()?.isUp == true)
        try await client.stop()
        try await redis.stop()
    }

    @Test func aRefusedGreetingIsNoConnection() async throws {
        let redis = try await FakeRedis.start(on: self.loop) { command, connection in
            connection < 3 && command.first == "PING" ? .say("-LOADING Redis is loading\r\n") : ordinary(command)
        }
        let client = try await LiveClient.start(self.settings(redis))
        #expect(await client.change() == .init(isUp: false, reason: "\(redis.address): PING was refused: LOADING"))
        #expect(await client.change() == .init(isUp: true, reason: nil))
        #expect(try await redis.commands() == ["PING", "PING", "PING"])
        try await client.stop()
        try await redis.stop()
    }

    @Test func stoppingFailsWhatWaits() async throws {
        let redis = try await FakeRedis.start(on: self.loop) { command, _ in
            command.first == "GET" ? .silence : ordinary(command)
        }
        let client = try await LiveClient.start(self.settings(redis))
        #expect(await client.change()?.isUp == true)
        async let results = client.send(["GET", "a"])
        while try await !redis.commands().contains("GET a") { await Task.yield() }
        try await client.stop()
        #expect(try await results == [.failure(.closed)])
        #expect(try await client.send(["GET", "b"]) == [.failure(.unavailable)])
        #expect(await client.restOfChanges() == [])
        try await redis.stop()
    }

    @Test func stoppingWhileItConnectsLeavesNothing() async throws {
        let redis = try await FakeRedis.start(on: self.loop) { _, _ in .silence }
        let client = try await LiveClient.start(self.settings(redis))
        while try await redis.commands().isEmpty { await Task.yield() }
        try await client.stop()
        try await redis.publish("+PONG\r\n")
        try await redis.drop()
        #expect(await client.restOfChanges() == [])
        try await redis.stop()
    }
}
