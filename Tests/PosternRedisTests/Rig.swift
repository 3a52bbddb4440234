import NIOCore
import NIOEmbedded
import Testing

@testable import PosternRedis

/// A connection in a channel without a socket, on a loop whose time the test decides.
final class Rig {
    let loop = EmbeddedEventLoop()
    let channel: EmbeddedChannel
    let connection: RedisConnection
    private let record = Record()

    /// What was called back; outlives the channel, whose end calls back too.
    private final class Record {
        var ready: [Result<Void, RedisTrouble>] = []
        var ends: [RedisTrouble] = []
        var results: [String: Result<RedisReply, RedisFailure>] = [:]
        var order: [String] = []
    }

    var ready: [Result<Void, RedisTrouble>] { self.record.ready }
    var ends: [RedisTrouble] { self.record.ends }
    var results: [String: Result<RedisReply, RedisFailure>] { self.record.results }
    var order: [String] { self.record.order }

    init(usesTLS: Bool = false) throws {
        self.channel = EmbeddedChannel(loop: self.loop)
        self.connection = RedisConnection(
            address: RedisAddress(host: "redis", port: 6379), times: .commands(timeout: .milliseconds(50)),
            usesTLS: usesTLS)
        try self.channel.pipeline.syncOperations.addHandler(self.connection)
        try self.channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 6379)).wait()
        self.connection.onEnd = { [record] in record.ends.append($0) }
    }

    deinit { _ = try? self.channel.finish(acceptAlreadyClosed: true) }

    func begin(_ greeting: RedisGreeting = .none) {
        self.connection.begin(greeting) { [record] in record.ready.append($0) }
    }

    func send(_ words: String...) {
        let name = words.joined(separator: " ")
        self.connection.send(words.map(bytes)) { [record] result in
            #expect(record.results.updateValue(result, forKey: name) == nil, "called back twice")
            record.order.append(name)
        }
    }

    /// Ends this turn of the loop and gives each write that was flushed.
    func written() throws -> [String] {
        self.loop.run()
        var writes: [String] = []
        while let buffer = try self.channel.readOutbound(as: ByteBuffer.self) { writes.append(String(buffer: buffer)) }
        return writes
    }

    func receive(_ text: String) throws {
        try self.channel.writeInbound(ByteBuffer(string: text))
    }

    var isReady: Bool {
        if case .some(.success) = self.ready.last { self.connection.isReady } else { false }
    }

    /// Why the greeting failed.
    var refusal: RedisTrouble? {
        if case .some(.failure(let trouble)) = self.ready.last { trouble } else { nil }
    }
}
