import NIOCore
import PosternCore

/// Reads the PROXY header that a connection begins with; the first handler of a channel of a listener with
/// `proxy_protocol`, and the only one until the header is there. Then it has the others added, who never learn that there
/// was one, and removes itself.
///
/// A connection whose peer may not send a header, or that does not begin with one, is closed without an answer: what is on
/// it is not known to be HTTP, and not known to be for this proxy.
final class ProxyHeaderHandler: LoopConnection, ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The peer's address as text; empty for a unix socket.
    private let peer: [UInt8]
    /// Adds the handlers that come after this one, for a client of this address, who may or may not speak for others.
    private let serve: (any Channel, [UInt8], Bool) throws -> Void
    private var received = ByteBuffer()
    /// What became of the header; nil until that is known.
    private var result: ProxyHeaderCounts.Result?
    /// Whether the handlers after this one are there, and the connection is theirs.
    private var wasHandedOver = false
    private var isDraining = false

    init(loop: LoopContext, peer: [UInt8], serve: @escaping (any Channel, [UInt8], Bool) throws -> Void) {
        self.peer = peer
        self.serve = serve
        super.init(loop: loop)
    }

    // MARK: - Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.attach(context)
        self.setDeadline(self.loop.now &+ self.loop.snapshot.timeouts.head)
        self.loop.add(self)
        if context.channel.isActive { self.checkPeer() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.detach()
        self.loop.remove(self, wasHandedOver: self.wasHandedOver)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.checkPeer()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(.closed)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that has nothing more to say before its header is whole has said nothing.
        if self.result == nil, case .some(.inputClosed) = event as? ChannelEvent { return self.end(.closed) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    override func deadlinePassed(now: Int64) {
        self.end(self.isDraining ? .closed : .timeout)
    }

    /// The process is to end.
    func drain() {
        self.isDraining = true
        guard self.result == nil else { return }
        self.setDeadline(min(self.deadline, self.loop.now &+ self.loop.drainPatience))
    }

    // MARK: - The header

    private func checkPeer() {
        let trusted = self.loop.snapshot.trustedProxies?.trusts(peer: self.peer) ?? false
        if !trusted { self.end(.untrusted) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.result == nil else { return }
        var buffer = self.unwrapInboundIn(data)
        self.received.writeBuffer(&buffer)
        switch ProxyHeader.read(self.received.readableBytesSpan) {
        case .incomplete:
            return
        case .malformed:
            self.end(.malformed)
        case .complete(let source, let length):
            self.received.moveReaderIndex(forwardBy: length)
            self.handOver(source, context)
        }
    }

    private func handOver(_ source: ProxyHeader.Source, _ context: ChannelHandlerContext) {
        self.end(.accepted)
        let address =
            switch source {
            case .address(let address): address.text
            case .socket: [UInt8]()
            case .peer: self.peer
            }
        do {
            try self.serve(context.channel, address, source != .peer)
            self.wasHandedOver = true
        } catch {
            context.close(promise: nil)
            return
        }
        let rest = self.received
        self.received = ByteBuffer()
        if rest.readableBytes > 0 {
            context.fireChannelRead(self.wrapInboundOut(rest))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// Takes note of what became of the header, once; without one the connection is closed.
    private func end(_ result: ProxyHeaderCounts.Result) {
        guard self.result == nil else { return }
        self.result = result
        self.loop.metrics.proxyHeaders[result] &+= 1
        self.setDeadline(.max)
        switch result {
        case .accepted:
            return
        case .closed:
            break
        case .untrusted, .malformed, .timeout:
            self.loop.services.proxyHeaders.refused(result, peer: self.peer, now: self.loop.now)
        }
        self.closeNow()
    }
}
