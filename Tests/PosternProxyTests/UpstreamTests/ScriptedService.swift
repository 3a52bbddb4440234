import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A service in this process that says the same to whoever asks, and keeps what it was asked.
final class ScriptedService: Sendable {
    /// What is done with a connection.
    enum Script: Sendable {
        /// Says this when a head has come, and closes.
        case say(String)
        /// Says this in single bytes.
        case drip(String)
        case close
        case silence
    }

    let port: Int
    private let channel: any Channel
    private let script: Mutex<Script>
    private let seen = Mutex<[String]>([])

    /// - Parameter host: an IPv4 address of this host; or with `path` the path of a socket.
    init(_ script: Script, host: String = "127.0.0.1", port: Int = 0, path: String? = nil, tls: NIOSSLContext? = nil)
        async throws
    {
        let relay = Relay()
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Handler(relay))
                }
            }
        if let path {
            self.channel = try await bootstrap.bind(unixDomainSocketPath: path).get()
        } else {
            self.channel = try await bootstrap.bind(host: host, port: port).get()
        }
        self.port = self.channel.localAddress?.port ?? 0
        self.script = Mutex(script)
        relay.service.withLock { $0 = self }
    }

    /// The heads that came so far.
    var heads: [String] { self.seen.withLock { $0 } }

    func change(_ script: Script) { self.script.withLock { $0 = script } }

    func stop() async { try? await self.channel.close().get() }

    /// The channels are made before the service is.
    private final class Relay: Sendable {
        let service = Mutex<ScriptedService?>(nil)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let relay: Relay
        private var head = ""

        init(_ relay: Relay) { self.relay = relay }

        private var service: ScriptedService? { self.relay.service.withLock { $0 } }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.head += String(buffer: self.unwrapInboundIn(data))
            guard self.head.hasSuffix("\r\n\r\n"), let service else { return }
            let head = self.head
            self.head = ""
            service.seen.withLock { $0.append(head) }
            switch service.script.withLock({ $0 }) {
            case .say(let text):
                context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
                context.close(promise: nil)
            case .drip(let text):
                for byte in text.utf8 {
                    context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: [byte])), promise: nil)
                }
            case .close:
                context.close(promise: nil)
            case .silence:
                break
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
