import NIOCore
import NIOPosix
import Testing

@testable import PosternRedis

@Suite(.timeLimit(.minutes(1))) struct RedisSentinelTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()
    private let query = "SENTINEL get-master-addr-by-name main"

    private func settings(_ sentinels: FakeRedis...) -> RedisSettings {
        RedisSettings(
            topology: .sentinel(sentinels.map(\.address), master: "main"), user: "u", password: bytes("p"),
            timeout: .seconds(10))
    }

    private static func naming(_ redis: FakeRedis) -> FakeRedis.Answer {
        let port = "\(redis.address.port)"
        return .say("*2\r\n$9\r\n127.0.0.1\r\n$\(port.utf8.count)\r\n\(port)\r\n")
    }

    private func redis(_ script: @escaping FakeRedis.Script = { command, _ in ordinary(command) }) async throws
        -> FakeRedis
    {
        try await FakeRedis.start(on: self.loop, script: script)
    }

    @Test func sentinelsAreAskedInTurnUntilOneKnows() async throws {
        let master = try await self.redis()
        let closing = try await self.redis { _, _ in .close }
        let ignorant = try await self.redis { _, _ in .say("*-1\r\n") }
        let knowing = try await self.redis { _, _ in Self.naming(master) }
        let client = try await LiveClient.start(self.settings(closing, ignorant, knowing))
        #expect(await client.change() == .init(isUp: true, reason: nil))
        // No credentials for the sentinels.
        for sentinel in [closing, ignorant, knowing] {
            #expect(try await sentinel.commands().first == self.query)
        }
        #expect(try await client.send(["GET", "a"]) == [.success(.status("OK"))])
        #expect(try await master.commands() == ["AUTH u p", "ROLE", "GET a"])
        try await client.stop()
        for server in [master, closing, ignorant, knowing] { try await server.stop() }
    }

    @Test func whoeverIsNamedMustBeAMaster() async throws {
        let replica = try await self.redis { command, _ in
            command.first == "ROLE" ? .say("*1\r\n$5\r\nslave\r\n") : ordinary(command)
        }
        let master = try await self.redis()
        let sentinel = try await self.redis { _, connection in Self.naming(connection == 1 ? replica : master) }
        let client = try await LiveClient.start(self.settings(sentinel))
        #expect(await client.change() == .init(isUp: false, reason: "\(replica.address): it is no master"))
        #expect(await client.change()?.isUp == true)
        try await client.stop()
        for server in [master, replica, sentinel] { try await server.stop() }
    }

    @Test func withoutAnAnswerThereIsNoMaster() async throws {
        let ignorant = try await self.redis { _, _ in .say("*-1\r\n") }
        let client = try await LiveClient.start(self.settings(ignorant))
        #expect(
            await client.change()
                == .init(isUp: false, reason: "\(ignorant.address): the sentinel does not know the master 'main'"))
        try await client.stop()
        try await ignorant.stop()
    }

    @Test func aMasterThatBecameAReplicaIsLeft() async throws {
        let old = try await self.redis { command, _ in
            command.first == "SET" ? .say("-READONLY You can't write\r\n") : ordinary(command)
        }
        let new = try await self.redis()
        let sentinel = try await self.redis { _, connection in Self.naming(connection == 1 ? old : new) }
        let client = try await LiveClient.start(self.settings(sentinel))
        #expect(await client.change()?.isUp == true)
        #expect(try await client.send(["SET", "a", "b"]) == [.failure(.unavailable)])
        #expect(await client.change() == .init(isUp: false, reason: "\(old.address): it is no master any more"))
        #expect(await client.change()?.isUp == true)
        #expect(try await client.send(["SET", "a", "b"]) == [.success(.status("OK"))])
        try await client.stop()
        for server in [old, new, sentinel] { try await server.stop() }
    }

    /// After a failover the old master may go on as one for a while.
    @Test func aMasterThatWasReplacedIsLeftThoughItAnswers() async throws {
        let old = try await self.redis()
        let new = try await self.redis()
        let sentinel = try await self.redis { _, connection in
            switch connection {
            case 1: Self.naming(old)
            // No answer is no reason to leave.
            case 2: .close
            default: Self.naming(new)
            }
        }
        let client = try await LiveClient.start(self.settings(sentinel))
        #expect(await client.change()?.isUp == true)
        #expect(
            await client.change() == .init(isUp: false, reason: "\(old.address): the master is \(new.address) now"))
        #expect(await client.change()?.isUp == true)
        #expect(try await sentinel.commands().count == 4)
        try await client.stop()
        for server in [old, new, sentinel] { try await server.stop() }
    }
}
