import NIOCore
import NIOPosix

@testable import PosternRedis

/// A client on a loop of its own, for tests that wait for it from outside.
final class LiveClient: Sendable {
    /// What the client said of its state.
    struct Change: Equatable {
        var isUp: Bool
        var reason: String?
    }

    let loop: any EventLoop
    private let client: NIOLoopBound<RedisClient>
    private let changes: AsyncStream<Change>
    private let sink: AsyncStream<Change>.Continuation

    private init(
        _ client: NIOLoopBound<RedisClient>, _ changes: AsyncStream<Change>, _ sink: AsyncStream<Change>.Continuation,
        _ loop: any EventLoop
    ) {
        self.client = client
        self.changes = changes
        self.sink = sink
        self.loop = loop
    }

    static func start(_ settings: RedisSettings) async throws -> LiveClient {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (changes, sink) = AsyncStream.makeStream(of: Change.self)
        let client = try await loop.submit {
            let client = RedisClient(eventLoop: loop, settings: settings) { isUp, reason in
                sink.yield(Change(isUp: isUp, reason: reason))
            }
            client.start()
            return NIOLoopBound(client, eventLoop: loop)
        }.get()
        return LiveClient(client, changes, sink, loop)
    }

    /// The next change of state.
    func change() async -> Change? {
        for await change in self.changes { return change }
        return nil
    }

    /// The changes that nobody has taken yet. Only after ``stop()``.
    func restOfChanges() async -> [Change] {
        self.sink.finish()
        return await self.changes.reduce(into: []) { $0.append($1) }
    }

    /// Sends a command, all commands of one call in one turn, and waits for the results.
    func send(_ commands: [String]..., key: String? = nil) async throws -> [Result<RedisReply, RedisFailure>] {
        let future = self.loop.flatSubmit {
            let promises = commands.map { command in
                let promise = self.loop.makePromise(of: Result<RedisReply, RedisFailure>.self)
                self.client.value.send(command.map(bytes), key: key.map(bytes)) { promise.succeed($0) }
                return promise.futureResult
            }
            return EventLoopFuture.whenAllSucceed(promises, on: self.loop)
        }
        return try await future.get()
    }

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (RedisClient) -> Value) async throws -> Value {
        try await self.loop.submit { body(self.client.value) }.get()
    }

    func stop() async throws {
        try await self.onLoop { $0.stop() }
    }
}
