import NIOCore
import PosternCore

/// One upstream as an event loop needs it.
struct UpstreamTarget: Equatable, Sendable {
    let address: Address
    /// As written, for people.
    let url: String
    /// Nil: cleartext.
    let tls: UpstreamTLS?
    /// What is spoken to the service.
    let applicationProtocol: Configuration.ApplicationProtocol
    /// Connections, or streams of HTTP/2, that one event loop may have.
    let connectionsPerLoop: Int
    /// Requests that may wait on one event loop.
    let queuePerLoop: Int
    /// How often a request may be sent again.
    let retries: Int
    /// Nanoseconds for opening a connection, and for waiting for one.
    let connectTimeout: Int64
    /// Nanoseconds that a connection may be idle.
    let idleTimeout: Int64
    /// Nil: the service is not asked whether it is well.
    let health: Configuration.Health?

    /// - Throws: what is wrong with the certificates or the key, which `TLSCheck` finds before.
    init(
        _ upstream: Configuration.Upstream, timeouts: Configuration.Timeouts, loops: Int
    ) throws(TLSContexts.Problem) {
        self.address = upstream.address
        self.url = upstream.url
        let spoken = upstream.applicationProtocol
        if let tls = upstream.tls {
            self.tls = try UpstreamTLS(tls, spoken: spoken, upstream: upstream.mark)
        } else {
            self.tls = nil
        }
        // Without TLS there is nobody to ask.
        self.applicationProtocol = spoken == .auto && upstream.tls == nil ? .http1 : spoken
        self.connectionsPerLoop = (upstream.connections + loops - 1) / loops
        self.queuePerLoop = (upstream.queue + loops - 1) / loops
        self.retries = upstream.retryAttempts
        self.connectTimeout = timeouts.connect
        self.idleTimeout = timeouts.upstreamIdle
        self.health = upstream.health
    }
}
