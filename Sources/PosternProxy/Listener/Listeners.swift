import NIOCore
import NIOPosix
import NIOSSL
import PosternCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Opens the downstream listeners: a socket for each event loop, or several (`socketCount`), all on the same port (SO_REUSEPORT), so that
/// a connection lives and dies on the loop that accepted it.
struct Listeners {
    /// A listener that could not be opened.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What stands between a listener's sockets and HTTP, in this order.
    struct Layers: Sendable {
        /// Whether every connection begins with a PROXY header.
        var proxyProtocol = false
        /// Nil: cleartext.
        var tls: ListenerTLS?
    }

    let loops: [NIOLoopBound<LoopContext>]
    /// Whether there may be another process on the same addresses: one that this one takes over. Without it a second process
    /// fails to start, instead of getting every other connection of the first.
    var sharesAddresses = false

    /// Opens sockets for one address.
    ///
    /// - Parameter layers: what stands before HTTP.
    func open(_ address: Address, _ layers: Layers = Layers()) async throws(Failure) -> OpenListener {
        switch address {
        case .unix(let path):
            // A unix socket has one listener; its connections stay on the first loop.
            let loop = self.loops[0]
            return try await OpenListener.bind(
                Self.bootstrap(loop.eventLoop, loop, layers), path: path, shares: self.sharesAddresses,
                on: loop.eventLoop)
        case .host(let host, let port):
            var channels: [any Channel] = []
            var boundPort = port
            for number in 0..<self.socketCount(port: port) {
                let loop = self.loops[number % self.loops.count]
                let bootstrap = Self.bootstrap(loop.eventLoop, loop, layers)
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                let channel = try await OpenListener.bind(
                    bootstrap, host: host, port: boundPort, shares: self.sharesAddresses || !channels.isEmpty)
                boundPort = channel.localAddress?.port ?? port
                channels.append(channel)
            }
            return OpenListener(channels: channels, file: nil)
        }
    }

    /// How many sockets an address gets: one an event loop. But a process that takes another's place needs as many as that one has,
    /// in whole rounds: the kernel keeps the sockets of a port in a table and fills the gap of one that closes with the last. With fewer,
    /// the place to which the predecessor sends new connections (`OpenListener.leaveToSuccessor`) would be gone before its last socket
    /// is, and some would go to that one while it closes.
    private func socketCount(port: Int) -> Int {
        let loops = self.loops.count
        guard self.sharesAddresses else { return loops }
        let rounds = (ListeningSockets.count(port: port) + loops - 1) / loops
        return max(1, rounds) * loops
    }

    private static func bootstrap(
        _ eventLoop: any EventLoop, _ loop: NIOLoopBound<LoopContext>, _ layers: Layers
    ) -> ServerBootstrap {
        ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.accept(channel, loop.value, layers) }
            }
    }

    private static func accept(_ channel: any Channel, _ loop: LoopContext, _ layers: Layers) throws {
        let address = Self.peer(channel)
        guard loop.services.connectionOpened() else {
            // A PROXY header would stand in front of the handshake: no answer can be given there.
            if layers.tls != nil, layers.proxyProtocol { return channel.close(promise: nil) }
            if let tls = layers.tls {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context))
            }
            try channel.pipeline.syncOperations.addHandler(
                OverloadedHandler(answer: loop.snapshot.answer, overTLS: layers.tls != nil))
            return
        }
        guard layers.proxyProtocol else { return try Self.serve(channel, loop, address, layers.tls) }
        let handler = ProxyHeaderHandler(loop: loop, peer: address) {
            try Self.serve($0, loop, $1, layers.tls, maySpeakForOthers: $2)
        }
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
    private static func serve(
        _ channel: any Channel, _ loop: LoopContext, _ address: [UInt8], _ tls: ListenerTLS?,
        maySpeakForOthers: Bool = true
    ) throws {
        let client = ClientFacts(
            address: address, scheme: tls == nil ? "http" : "https", maySpeakForOthers: maySpeakForOthers)
        // First, so that everything behind it reads and writes what is meant.
        if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context)) }
        try channel.pipeline.syncOperations.addHandler(
            DownstreamHandler(loop: loop, client: client, overTLS: tls != nil))
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
