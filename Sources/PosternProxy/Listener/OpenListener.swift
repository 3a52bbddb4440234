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

/// The sockets of one address on which this process takes connections, and how it stops to: no connection that the kernel has
/// accepted for it is lost, and with a successor on the same address none is refused.
struct OpenListener: Sendable {
    /// In the order in which they were opened.
    let channels: [any Channel]
    /// Of a unix socket.
    let file: SocketFile?

    /// How long connections are accepted after they were left to a successor: handshakes that had begun end in that time.
    static let handshakeTime = Duration.milliseconds(500)
    /// How long queues that do not become empty are looked at.
    private static let patience = Duration.seconds(1)

    /// Opens one socket.
    ///
    /// - Parameters:
    ///   - port: the port, which is not the address's where that leaves it to the system.
    ///   - shares: whether there may be sockets of this port already, of this process or of another one of this user. Without
    ///     it the port is this process's; once it is, further sockets may share it.
    static func bind(
        _ bootstrap: ServerBootstrap, host: String, port: Int, shares: Bool
    ) async throws(Listeners.Failure) -> any Channel {
        let option = ChannelOptions.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT))
        do {
            guard !shares else {
                return try await bootstrap.serverChannelOption(option, value: 1).bind(host: host, port: port).get()
            }
            let channel = try await bootstrap.bind(host: host, port: port).get()
            try await channel.setOption(option, value: 1).get()
            return channel
        } catch {
            throw Listeners.Failure(description: Listeners.sentence(error, .host(host, port: port)))
        }
    }

    /// Opens a unix socket. One that a dead process left is replaced, one that still answers only with `shares`.
    static func bind(
        _ bootstrap: ServerBootstrap, path: String, shares: Bool, on eventLoop: any EventLoop
    ) async throws(Listeners.Failure) -> OpenListener {
        try await SocketFile.check(path, mayBeInUse: shares, on: eventLoop)
        let channel: any Channel
        do {
            channel = try await bootstrap.bind(
                unixDomainSocketPath: SocketFile.draft(of: path), cleanupExistingSocketFile: true
            ).get()
        } catch {
            throw Listeners.Failure(description: Listeners.sentence(error, .unix(path: path)))
        }
        return OpenListener(channels: [channel], file: try SocketFile(publishing: path))
    }

    // MARK: - End

    /// Leaves new connections to the process that takes over. Its sockets were opened after these, so its first has the number
    /// that these would have next. `close` follows, after `handshakeTime`.
    func leaveToSuccessor() async {
        guard self.file == nil, let first = self.channels.first else { return }
        let index = self.channels.count
        try? await first.eventLoop.submit { ListenerSocket(first)?.direct(to: index) }.get()
    }

    /// The process before this one is gone: its last word about new connections does not hold any more.
    func takeOver() async {
        guard self.file == nil, let first = self.channels.first else { return }
        try? await first.eventLoop.submit { ListenerSocket(first)?.spread() }.get()
    }

    /// Accepts what waits in the queues, then closes.
    func close() async {
        let deadline = ContinuousClock.now + Self.patience
        for channel in self.channels { await Self.close(channel, deadline: deadline) }
        self.file?.remove()
    }

    private static func close(_ channel: any Channel, deadline: ContinuousClock.Instant) async {
        while true {
            let isOver = ContinuousClock.now >= deadline
            let isClosed = try? await channel.eventLoop.submit {
                // The event loop accepts what waits before it comes back to this. Between the look and the close there are
                // microseconds, in which a connection is lost unless new ones go to a successor.
                if !isOver, ListenerSocket(channel)?.hasWaiting == true { return false }
                channel.close(promise: nil)
                return true
            }.get()
            if isClosed != false { return }
        }
    }
}
