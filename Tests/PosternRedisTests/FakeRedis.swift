import NIOCore
import NIOPosix

@testable import PosternRedis

/// A server in this process, over real TCP, that answers each command as a script says.
final class FakeRedis: Sendable {
    /// What a script says to one command.
    enum Answer: Sendable {
        /// These octets.
        case say(String)
        case silence
        case close
    }

    /// - Parameters:
    ///   - command: The words of the command.
    ///   - connection: The number of the connection, from 1.
    typealias Script = @Sendable (_ command: [String], _ connection: Int) -> Answer

    let address: RedisAddress
    private let channel: any Channel
    private let state: NIOLoopBoundBox<State>

    private struct State {
        var connections: [any Channel] = []
        var count = 0
        var commands: [[String]] = []
    }

    private init(_ channel: any Channel, _ state: NIOLoopBoundBox<State>, port: Int) {
        self.channel = channel
        self.state = state
        self.address = RedisAddress(host: "127.0.0.1", port: port)
    }

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - loop: The loop that the script runs on.
    ///   - port: 0 for any.
    static func start(on loop: any EventLoop, port: Int = 0, script: @escaping Script) async throws -> FakeRedis {
        let state = NIOLoopBoundBox.makeBoxSendingValue(State(), eventLoop: loop)
        let channel = try await ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    state.value.count += 1
                    state.value.connections.append(channel)
                    let handler = Handler(number: state.value.count, script: script) { state.value.commands.append($0) }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        return FakeRedis(channel, state, port: channel.localAddress?.port ?? 0)
    }

    /// Says something on all connections, unasked.
    func publish(_ text: String) async throws {
        try await self.channel.eventLoop.submit {
            for channel in self.state.value.connections {
                channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
            }
        }.get()
    }

    /// Closes all connections; goes on listening.
    func drop() async throws {
        try await self.channel.eventLoop.submit {
            let connections = self.state.value.connections
            self.state.value.connections = []
            for channel in connections { channel.close(promise: nil) }
        }.get()
    }

    /// All commands so far, the words joined.
    func commands() async throws -> [String] {
        try await self.channel.eventLoop.submit { self.state.value.commands.map { $0.joined(separator: " ") } }.get()
    }

    func stop() async throws {
        try await self.channel.close().get()
        try await self.drop()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let number: Int
        private let script: Script
        private let note: ([String]) -> Void
        private let decoder = RedisDecoder()

        init(number: Int, script: @escaping Script, note: @escaping ([String]) -> Void) {
            self.number = number
            self.script = script
            self.note = note
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            // A command has the form of a reply: an array of strings.
            let buffer = self.unwrapInboundIn(data)
            do {
                try self.decoder.feed(buffer.readableBytesSpan)
                while let command = try self.decoder.next() { self.answer(command, context) }
            } catch {
                // As Redis does.
                context.writeAndFlush(
                    self.wrapOutboundOut(ByteBuffer(string: "-ERR Protocol error\r\n")), promise: nil)
            }
        }

        private func answer(_ command: RedisReply, _ context: ChannelHandlerContext) {
            let words = (command.array ?? []).map { $0.text ?? "" }
            self.note(words)
            switch self.script(words, self.number) {
            case .say(let text):
                context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .silence: break
            case .close: context.close(promise: nil)
            }
        }
    }
}

/// A script's usual answers: `PONG`, a master's `ROLE`, and `OK` for the rest.
func ordinary(_ command: [String]) -> FakeRedis.Answer {
    switch command.first {
    case "PING": .say("+PONG\r\n")
    case "ROLE": .say("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")
    default: .say("+OK\r\n")
    }
}
