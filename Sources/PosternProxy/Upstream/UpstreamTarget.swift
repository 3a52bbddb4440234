import NIOCore
import PosternCore

/// One upstream as an event loop needs it.
struct UpstreamTarget: Equatable, Sendable {
    let address: Address
    /// Connections that one event loop may have.
    let connectionsPerLoop: Int
    /// Requests that may wait on one event loop.
    let queuePerLoop: Int
    /// How often a request may be sent again.
    let retries: Int
    /// Nanoseconds for opening a connection, and for waiting for one.
    let connectTimeout: Int64
    /// Nanoseconds that a connection may be idle.
    let idleTimeout: Int64

    init(_ upstream: Configuration.Upstream, timeouts: Configuration.Timeouts, loops: Int) {
        self.address = upstream.address
        self.connectionsPerLoop = (upstream.connections + loops - 1) / loops
        self.queuePerLoop = (upstream.queue + loops - 1) / loops
        self.retries = upstream.retryAttempts
        self.connectTimeout = timeouts.connect
        self.idleTimeout = timeouts.upstreamIdle
    }
}
