import NIOCore
import NIOPosix
import Synchronization

/// A Redis in this process, over TCP, so far as Postern needs one: it answers by itself, but for the commands that a test
/// wants to answer.
final class RedisServer: Sendable {
    /// A command that came.
    struct Command: Sendable {
        let words: [[UInt8]]
        fileprivate let channel: any Channel

        var name: String { self.text.first ?? "" }
        /// The words, for those that are text.
        var text: [String] { self.words.map { String(decoding: $0, as: UTF8.self) } }

        /// Answers a command that was held.
        func answer(_ reply: RESP) {
            self.channel.writeAndFlush(ByteBuffer(bytes: reply.bytes), promise: nil)
        }
    }

    /// What a test says to all commands of one name.
    enum Rule: Sendable {
        /// The test answers each of them.
        case hold
        case reply(RESP)
        case silence
    }

    struct Ended: Error {}

    /// A loop for Redis alone: a subscription that is not answered within half a second is over, and other tests keep
    /// their event loops busy for longer.
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let port: Int
    private let channel: any Channel
    private let core: Core
    private let commands: AsyncStream<Command>

    init() async throws {
        let (commands, continuation) = AsyncStream.makeStream(of: Command.self)
        let core = Core(continuation)
        self.core = core
        self.commands = commands
        self.channel = try await ServerBootstrap(group: Self.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(core))
                    core.opened(channel)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.port = self.channel.localAddress?.port ?? 0
    }

    deinit {
        self.channel.close(promise: nil)
        self.core.dropAll()
    }

    /// The next command of this name; those before it are passed over.
    func next(_ name: String) async throws -> Command {
        for await command in self.commands where command.name == name { return command }
        throw Ended()
    }

    /// The names of all commands about keys so far.
    var names: [String] {
        self.core.state.withLock { $0.received.map(\.name) }.filter { !["PING", "SUBSCRIBE"].contains($0) }
    }

    /// The words of all commands of this name so far.
    func received(_ name: String) -> [[String]] {
        self.core.state.withLock { $0.received.filter { $0.name == name }.map(\.text) }
    }

    /// All octets that came so far.
    var octets: [UInt8] { self.core.state.withLock { $0.received.flatMap { $0.words.flatMap { $0 } } } }

    /// The strings that are kept.
    subscript(key: [UInt8]) -> [UInt8]? {
        get { self.core.state.withLock { $0.strings[key] } }
        set { self.core.state.withLock { $0.strings[key] = newValue } }
    }

    var keys: [[UInt8]] { self.core.state.withLock { Array($0.strings.keys) } }

    /// From now on; nil: as Redis does.
    func set(_ rule: Rule?, for name: String) { self.core.state.withLock { $0.rules[name] = rule } }

    /// The members of every sorted set, with their scores.
    func setMembers(_ members: [(String, String)]) {
        self.core.state.withLock { $0.members = members.map { ($0.0, $0.1) } }
    }

    func publish(_ message: String) {
        let reply = RESP.array([.bulk("message"), .bulk("channel"), .bulk(message)])
        for channel in self.core.state.withLock({ $0.subscribers }) {
            channel.writeAndFlush(ByteBuffer(bytes: reply.bytes), promise: nil)
        }
    }

    /// Ends the subscriptions alone.
    func dropSubscribers() {
        let channels = self.core.state.withLock { state in
            defer { state.subscribers = [] }
            return state.subscribers
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Ends every connection, and every new one at once, until it is up again.
    func setDown(_ isDown: Bool) {
        self.core.state.withLock { $0.isDown = isDown }
        if isDown { self.core.dropAll() }
    }

    // MARK: - Connections

    fileprivate struct State {
        var strings: [[UInt8]: [UInt8]] = [:]
        var members: [(String, String)] = []
        var rules: [String: Rule] = [:]
        var received: [Command] = []
        var channels: [any Channel] = []
        var subscribers: [any Channel] = []
        var isDown = false
    }

    fileprivate final class Core: Sendable {
        let state = Mutex(State())
        private let continuation: AsyncStream<Command>.Continuation

        init(_ continuation: AsyncStream<Command>.Continuation) { self.continuation = continuation }

        func opened(_ channel: any Channel) {
            let isDown = self.state.withLock { state in
                if !state.isDown { state.channels.append(channel) }
                return state.isDown
            }
            if isDown { channel.close(promise: nil) }
        }

        func dropAll() {
            let channels = self.state.withLock { state in
                defer { (state.channels, state.subscribers) = ([], []) }
                return state.channels
            }
            for channel in channels { channel.close(promise: nil) }
        }

        func received(_ command: Command) {
            let reply = self.state.withLock { state -> RESP? in
                state.received.append(command)
                switch state.rules[command.name] {
                case .hold, .silence: return nil
                case .reply(let reply): return reply
                case nil: return state.answer(command)
                }
            }
            if let reply { command.answer(reply) }
            self.continuation.yield(command)
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let core: Core
        private var buffer = ByteBuffer()

        init(_ core: Core) { self.core = core }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = self.unwrapInboundIn(data)
            self.buffer.writeBuffer(&part)
            while let words = RESP.command(&self.buffer) {
                self.core.received(Command(words: words, channel: context.channel))
            }
        }
    }
}

extension RedisServer.State {
    /// What Redis says to a command, and does.
    fileprivate mutating func answer(_ command: RedisServer.Command) -> RESP {
        let words = command.words
        switch command.name {
        case "PING":
            let isSubscriber = self.subscribers.contains { $0 === command.channel }
            return isSubscriber ? .array([.bulk("pong"), .bulk("")]) : .status("PONG")
        case "SUBSCRIBE":
            self.subscribers.append(command.channel)
            return .array([.bulk("subscribe"), .octets(words[1]), .integer(1)])
        case "GET":
            return self.strings[words[1]].map { .octets($0) } ?? .null
        case "SET":
            if command.text.contains("NX"), self.strings[words[1]] != nil { return .null }
            self.strings[words[1]] = words[2]
            return .status("OK")
        case "EVAL":
            // The one script there is: deletes the key if it holds the argument.
            guard self.strings[words[3]] == words[4] else { return .integer(0) }
            self.strings[words[3]] = nil
            return .integer(1)
        case "ZSCAN":
            return .array([.bulk("0"), .array(self.members.flatMap { [.bulk($0.0), .bulk($0.1)] })])
        default:
            return .error("ERR unknown command")
        }
    }
}
