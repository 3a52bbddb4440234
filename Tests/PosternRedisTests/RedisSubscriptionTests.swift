import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import PosternRedis

@Suite(.timeLimit(.minutes(1))) struct RedisSubscriptionTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()
    private static let acknowledged = "*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n"

    private static func message(_ text: String) -> String {
        "*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$\(text.utf8.count)\r\n\(text)\r\n"
    }

    private struct Live {
        var subscription: NIOLoopBound<RedisSubscription>
        var events: AsyncStream<RedisSubscription.Event>.Iterator
        var sink: AsyncStream<RedisSubscription.Event>.Continuation
        var loop: any EventLoop

        mutating func next() async -> RedisSubscription.Event? { await self.events.next() }

        func stop() async throws {
            let subscription = self.subscription
            try await self.loop.submit { subscription.value.stop() }.get()
        }

        /// The events that nobody has taken yet. Only after ``stop()``.
        mutating func rest() async -> [RedisSubscription.Event] {
            self.sink.finish()
            var rest: [RedisSubscription.Event] = []
            while let event = await self.events.next() { rest.append(event) }
            return rest
        }
    }

    private func start(_ topology: RedisSettings.Topology) async throws -> Live {
        let loop = self.loop
        let (events, sink) = AsyncStream.makeStream(of: RedisSubscription.Event.self)
        let settings = RedisSettings(topology: topology)
        let subscription = try await loop.submit {
            let subscription = RedisSubscription(eventLoop: loop, settings: settings, channel: bytes("ch")) {
                sink.yield($0)
            }
            subscription.start()
            return NIOLoopBound(subscription, eventLoop: loop)
        }.get()
        return Live(subscription: subscription, events: events.makeAsyncIterator(), sink: sink, loop: loop)
    }

    private func redis(_ script: @escaping FakeRedis.Script) async throws -> FakeRedis {
        try await FakeRedis.start(on: self.loop, script: script)
    }

    @Test func messagesComeAfterTheAcknowledgement() async throws {
        let redis = try await self.redis { command, _ in
            // The first messages come with the acknowledgement, in one piece.
            command.first == "SUBSCRIBE"
                ? .say(Self.acknowledged + Self.message("one") + Self.message("")) : ordinary(command)
        }
        var live = try await self.start(.single(redis.address))
        #expect(await live.next() == .subscribed)
        #expect(await live.next() == .message(bytes("one")))
        #expect(await live.next() == .message([]))
        try await redis.publish(Self.message("two"))
        #expect(await live.next() == .message(bytes("two")))
        #expect(try await redis.commands() == ["PING", "SUBSCRIBE ch"])
        try await live.stop()
        #expect(await live.rest() == [])
        try await redis.stop()
    }

    /// The greeting's PING is the first of a connection; each further one asks whether anybody is there, and in a
    /// subscription its answer is an array.
    @Test func aSilentPeerIsNoticed() async throws {
        let pings = Mutex(0)
        let redis = try await self.redis { command, connection in
            guard command.first == "PING" else {
                return command.first == "SUBSCRIBE" ? .say(Self.acknowledged) : ordinary(command)
            }
            guard connection == 1 else { return ordinary(command) }
            return pings.withLock { pings in
                pings += 1
                switch pings {
                case 1: return .say("+PONG\r\n")
                case 2: return .say("*2\r\n$4\r\npong\r\n$0\r\n\r\n" + Self.message("still there"))
                default: return .silence
                }
            }
        }
        var live = try await self.start(.single(redis.address))
        #expect(await live.next() == .subscribed)
        #expect(await live.next() == .message(bytes("still there")))
        #expect(await live.next() == .down("\(redis.address): no answer in time"))
        #expect(pings.withLock { $0 } == 3)
        #expect(await live.next() == .subscribed)
        try await live.stop()
        try await redis.stop()
    }

    @Test func aLostConnectionIsMadeAnew() async throws {
        let redis = try await self.redis { command, _ in
            command.first == "SUBSCRIBE" ? .say(Self.acknowledged) : ordinary(command)
        }
        var live = try await self.start(.single(redis.address))
        #expect(await live.next() == .subscribed)
        try await redis.drop()
        #expect(await live.next() == .down("\(redis.address): the peer closed the connection"))
        #expect(await live.next() == .subscribed)
        try await live.stop()
        try await redis.stop()
    }

    @Test func anOutageIsSaidOnce() async throws {
        let redis = try await self.redis { command, connection in
            if connection < 4 { return .close }
            return command.first == "SUBSCRIBE" ? .say(Self.acknowledged) : ordinary(command)
        }
        var live = try await self.start(.single(redis.address))
        #expect(await live.next() == .down("\(redis.address): the peer closed the connection"))
        #expect(await live.next() == .subscribed)
        try await live.stop()
        try await redis.stop()
    }

    @Test(arguments: [
        ("-NOPERM this user may not\r\n", "SUBSCRIBE was refused: NOPERM"),
        ("+OK\r\n", "SUBSCRIBE was answered strangely"),
    ])
    func aRefusalIsAnOutage(answer: String, reason: String) async throws {
        let redis = try await self.redis { command, connection in
            guard command.first == "SUBSCRIBE" else { return ordinary(command) }
            return connection < 3 ? .say(answer) : .say(Self.acknowledged)
        }
        var live = try await self.start(.single(redis.address))
        #expect(await live.next() == .down("\(redis.address): \(reason)"))
        #expect(await live.next() == .subscribed)
        try await live.stop()
        try await redis.stop()
    }

    @Test func inAClusterAnyNodeWillDo() async throws {
        let closed = try await self.redis { _, _ in .silence }
        try await closed.stop()
        let redis = try await self.redis { command, _ in
            command.first == "SUBSCRIBE" ? .say(Self.acknowledged) : ordinary(command)
        }
        var live = try await self.start(.cluster([closed.address, redis.address]))
        #expect(await live.next() == .down("\(closed.address): connection refused"))
        #expect(await live.next() == .subscribed)
        try await live.stop()
        try await redis.stop()
    }
}
