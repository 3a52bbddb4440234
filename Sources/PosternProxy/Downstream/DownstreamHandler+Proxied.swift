import NIOCore
import PosternCore

/// What a trusted proxy says of the client that it speaks for.
final class ProxiedClient {
    /// The client's address as text, for the access log and for spans; empty while there is neither.
    var address: [UInt8] = []
}

// Requests of trusted proxies. Apart from the path of every other request, which only asks whether any proxy is trusted.
extension DownstreamHandler {
    /// Finds out whether the request that was read last comes from a trusted proxy, and for whom. The policy of this request
    /// counts: a reload changes whom connections that are open already are taken for.
    @inline(never)
    func noteProxied(_ buffer: ByteBuffer) {
        self.record.isProxied = false
        guard let trusted = self.snapshot.trustedProxies, self.client.maySpeakForOthers,
            trusted.trusts(peer: self.client.address)
        else { return }
        self.record.isProxied = true
        guard self.snapshot.logAccess != .off || self.loop.tracer != nil else { return }
        let proxied = self.proxied ?? ProxiedClient()
        self.proxied = proxied
        proxied.address.removeAll(keepingCapacity: true)
        self.loop.intake.appendClient(buffer.readableBytesSpan, trusted: trusted, to: &proxied.address)
        if proxied.address.isEmpty { proxied.address.append(contentsOf: self.client.address) }
    }
}
