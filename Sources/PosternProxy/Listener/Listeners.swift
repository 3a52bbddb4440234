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
    /// - Parameter tls: nil for a listener in cleartext.
    func open(_ address: Address, tls: ListenerTLS? = nil) async throws(Failure) -> [any Channel] {
        switch address {
        case .unix(let path):
            return [try await self.openUnix(path, tls)]
        case .host(let host, let port):
            var channels: [any Channel] = []
            var boundPort = port
            for loop in self.loops {
                let channel = try await self.bind(loop, host: host, port: boundPort, address: address, tls)
                boundPort = channel.localAddress?.port ?? port
                channels.append(channel)
            }
            return channels
        }
    }

    private func bind(
        _ loop: NIOLoopBound<LoopContext>, host: String, port: Int, address: Address, _ tls: ListenerTLS?
    ) async throws(Failure) -> any Channel {
        do {
            return try await Self.bootstrap(loop.eventLoop, loop, tls)
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
    private func openUnix(_ path: String, _ tls: ListenerTLS?) async throws(Failure) -> any Channel {
        let loop = self.loops[0]
        do {
            let answers = try? await ClientBootstrap(group: loop.eventLoop).connect(unixDomainSocketPath: path).get()
            if let answers {
                try? await answers.close()
                throw Failure(description: "unix:\(path) is in use by another process")
            }
            return try await Self.bootstrap(loop.eventLoop, loop, tls)
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: Self.sentence(error, .unix(path: path)))
        }
    }

    private static func bootstrap(
        _ eventLoop: any EventLoop, _ loop: NIOLoopBound<LoopContext>, _ tls: ListenerTLS?
    ) -> ServerBootstrap {
        ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.accept(channel, loop.value, tls) }
            }
    }

    private static func accept(_ channel: any Channel, _ loop: LoopContext, _ tls: ListenerTLS?) throws {
        let address = channel.remoteAddress?.ipAddress ?? ""
        let client = ClientFacts(address: Array(address.utf8), scheme: tls == nil ? "http" : "https")
        // First, so that everything behind it reads and writes what is meant.
        if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context)) }
        guard loop.services.connectionOpened() else {
            try channel.pipeline.syncOperations.addHandler(
                OverloadedHandler(answer: loop.snapshot.answer, overTLS: tls != nil))
            return
        }
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
