import NIOCore
import NIOPosix
import PosternCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Opens the downstream listeners: one socket an event loop, all on the same port (SO_REUSEPORT), so that a connection
/// lives and dies on the loop that accepted it.
struct Listeners {
    /// A listener that could not be opened.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let loops: [NIOLoopBound<LoopContext>]

    /// Opens sockets for one address.
    ///
    /// - Parameter proxyProtocol: whether every connection begins with a PROXY header.
    func open(_ address: Address, proxyProtocol: Bool = false) async throws(Failure) -> [any Channel] {
        switch address {
        case .unix(let path):
            return [try await self.openUnix(path, proxyProtocol)]
        case .host(let host, let port):
            var channels: [any Channel] = []
            var boundPort = port
            for loop in self.loops {
                let channel = try await self.bind(
                    loop, host: host, port: boundPort, address: address, proxyProtocol)
                boundPort = channel.localAddress?.port ?? port
                channels.append(channel)
            }
            return channels
        }
    }

    private func bind(
        _ loop: NIOLoopBound<LoopContext>, host: String, port: Int, address: Address, _ proxyProtocol: Bool
    ) async throws(Failure) -> any Channel {
        do {
            return try await Self.bootstrap(loop.eventLoop, loop, proxyProtocol)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .serverChannelOption(
                    .socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1
                )
                .bind(host: host, port: port).get()
        } catch {
            throw Failure(description: Self.sentence(error, address))
        }
    }

    /// A unix socket has one listener; its connections stay on the first loop. A socket file that a dead process left
    /// is replaced, one that still answers is not.
    private func openUnix(_ path: String, _ proxyProtocol: Bool) async throws(Failure) -> any Channel {
        let loop = self.loops[0]
        do {
            let answers = try? await ClientBootstrap(group: loop.eventLoop).connect(unixDomainSocketPath: path).get()
            if let answers {
                try? await answers.close()
                throw Failure(description: "unix:\(path) is in use by another process")
            }
            return try await Self.bootstrap(loop.eventLoop, loop, proxyProtocol)
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: Self.sentence(error, .unix(path: path)))
        }
    }

    private static func bootstrap(
        _ eventLoop: any EventLoop, _ loop: NIOLoopBound<LoopContext>, _ proxyProtocol: Bool
    ) -> ServerBootstrap {
        ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.accept(channel, loop.value, proxyProtocol) }
            }
    }

    private static func accept(_ channel: any Channel, _ loop: LoopContext, _ proxyProtocol: Bool) throws {
        let address = Self.peer(channel)
        guard loop.services.connectionOpened() else {
            try channel.pipeline.syncOperations.addHandler(OverloadedHandler(answer: loop.snapshot.answer))
            return
        }
        guard proxyProtocol else { return try Self.serve(channel, loop, address) }
        let handler = ProxyHeaderHandler(loop: loop, peer: address) { try Self.serve($0, loop, $1) }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// The peer's address as text; empty for a unix socket. A socket for both families gives IPv4 addresses as IPv6 ones:
    /// they are written as what they are, as everybody who reads them expects.
    private static func peer(_ channel: any Channel) -> [UInt8] {
        let text = Array((channel.remoteAddress?.ipAddress ?? "").utf8)
        guard text.starts(with: "::ffff:".utf8), let address = NetworkAddress(text.span.bytes) else { return text }
        return address.text
    }

    /// Adds the handlers of a connection.
    ///
    /// - Parameter address: the client's, as text; empty for a unix socket.
    private static func serve(_ channel: any Channel, _ loop: LoopContext, _ address: [UInt8]) throws {
        let client = ClientFacts(address: address, scheme: "http")
        try channel.pipeline.syncOperations.addHandler(DownstreamHandler(loop: loop, client: client))
    }

    static func sentence(_ error: any Error, _ address: Address) -> String {
        guard let error = error as? IOError else { return "cannot listen on \(address): \(error)" }
        switch error.errnoCode {
        case EADDRINUSE: return "\(address) is in use by another process; stop it or choose another address"
        case EACCES: return "this user may not listen on \(address)"
        case EADDRNOTAVAIL: return "\(address) is not an address of this machine"
        default: return "cannot listen on \(address): \(error)"
        }
    }
}

/// Tells a client that there are too many connections, then closes.
final class OverloadedHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: Answer

    init(answer: Answer) {
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        var identifiers = Identifiers(random: IdentifierSource(seed: .random(in: 0 ... .max), .random(in: 0 ... .max)))
        identifiers.assignNew()
        let refusal = Refusal(.overloaded, "Too many connections are open; try again.")
        let bytes = self.answer.bytes(
            for: refusal, requestID: identifiers.requestID, toHead: false, close: true)
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(1)) { bound.value.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { context.close(promise: nil) }
    }
}
