import NIOCore
import PosternCore

// A pooled connection that has become half of a tunnel. It never serves another request, so the pool forgets it: tunnels
// take no place of `upstream.connections`, each has a client's connection that counts (`limits.connections`).
extension UpstreamHandler {
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { self.inputEnded() }
        context.fireUserInboundEventTriggered(event)
    }

    private func inputEnded() {
        switch self.response {
        case .tunnel: self.downstream?.tunnelInputEnded(.upstream)
        case .leaving: self.closeNow()
        case .none, .head, .body: break
        }
    }

    /// The tunnel is over: says a last frame if there is one, and closes when the upstream does, or a moment later.
    func leaveTunnel(saying frame: [UInt8]?) {
        if let frame { self.write(frame) }
        self.leave()
        self.setDeadline(self.loop.now &+ TunnelLink.endingTime)
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        self.whenWritten { bound.value.context?.close(mode: .output, promise: nil) }
        self.resumeReading()
    }

    /// A 101 came. Returns whether it is one that was asked for; the connection is a tunnel then.
    func switchProtocols(
        _ buffer: inout ByteBuffer, _ facts: ResponseIntake.Facts, _ downstream: DownstreamHandler
    ) -> Bool {
        guard let tunnel = downstream.tunnel, self.loop.responses.accepts(buffer.readableBytesSpan, tunnel.upgrade)
        else {
            downstream.step { $0.responseInvalid() }
            return false
        }
        downstream.step { $0.protocolSwitched() }
        guard downstream.exchange.state == .tunnelling else { return false }
        downstream.relaySwitch(buffer, tunnel.upgrade)
        buffer.moveReaderIndex(forwardBy: facts.end)
        self.becomeTunnel()
        downstream.tunnelOpened()
        return true
    }

    /// The upstream has switched protocols. Either side may end what it sends before the other.
    private func becomeTunnel() {
        self.response = .tunnel
        self.pool.discarded(self)
        guard self.codec == nil else { return }
        try? self.context?.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    }
}
