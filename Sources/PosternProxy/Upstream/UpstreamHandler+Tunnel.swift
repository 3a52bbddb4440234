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
}
