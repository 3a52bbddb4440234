import NIOCore
import PosternCore

/// One pooled connection to the upstream: writes requests, reads responses strictly, and hands them to the connection that
/// waits. The only handler of its channel, but for TLS before it, or for what makes frames of it where the channel is that
/// of a stream of HTTP/2; that serves once.
final class UpstreamHandler: LoopConnection, ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let id: UpstreamPool.ConnectionID
    let pool: LoopPool
    /// What makes frames of a stream; nil for HTTP/1.1.
    let codec: UpstreamStreamCodec?
    /// Whose request is on this connection; nil while it is idle. The two refer to each other only during an exchange.
    private(set) var downstream: DownstreamHandler?
    /// Whether the pool's machine counts this connection as in use.
    var isLeased = false
    /// Whether it is not to serve another request: the service's name does not stand for its address any more.
    var isRetired = false
    /// Whether a response was read completely on this connection before.
    private(set) var hasServed = false
    /// The head that was sent last, while it may have to be sent again.
    var sent: [UInt8]?
    /// Whether the current response may be silent for long.
    private(set) var isEventStream = false

    /// What comes next from the upstream.
    enum Response {
        case none
        case head
        case body
        /// After a 101: bytes pass both ways.
        case tunnel
        /// The tunnel is over: what still comes is thrown away until the upstream closes.
        case leaving
    }
    var response = Response.none
    private var body = BodyDecoder(.none, trailerLimit: 0)
    private var keepAlive = true
    private var idleLimit: Int64
    var untouched = true
    /// Whether the request's first bytes left this process: nothing that comes before can be its answer.
    private var asked = false
    private var failed = false
    /// What ended the stream, if something did.
    var trouble: UpstreamStreamTrouble?
    private var partial: ByteBuffer?
    private var partialScanner: HeadScanner?
    private var readPending = false

    init(id: UpstreamPool.ConnectionID, pool: LoopPool, loop: LoopContext, codec: UpstreamStreamCodec? = nil) {
        self.id = id
        self.pool = pool
        self.codec = codec
        self.idleLimit = pool.upstream.idleTimeout
        self.hasServed = codec?.session.hasServed ?? false
        super.init(loop: loop, wire: codec != nil ? .stream : pool.upstream.tls == nil ? .plain : .secured)
    }

    // MARK: - Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.attach(context)
        if self.codec == nil { self.loop.metrics.upstreamConnections += 1 }
        // Over TLS it comes when the handshake is over.
        if context.channel.isActive { self.opened(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.detach()
        if self.codec == nil { self.loop.metrics.upstreamConnections -= 1 }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.opened(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.codec != nil { return self.streamFailed(error) }
        self.failed = true
        // Such as an alert that our certificate will not do, which comes after the handshake in TLS 1.3.
        if TLSTrouble.isTLS(error), !TLSTrouble.isUncleanEnd(error) { self.pool.failed(error) }
        if self.response == .tunnel {
            let isUnannounced = TLSTrouble.isUncleanEnd(error)
            self.downstream?.stepTunnel { isUnannounced ? $0.endedUnannounced(.upstream) : $0.failed(.upstream) }
        }
        self.breakOff()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let codec { return self.streamEnded(codec) }
        // A connection that broke while it was written to may have lost the end of what it had to say.
        let isBroken = self.failed || self.hasUnsent
        let unsent = self.asked || !self.hasServed ? nil : self.takeUnsent()
        self.closed()
        self.pool.closed(self)
        if let downstream = self.downstream {
            if self.response == .tunnel {
                // What came, and the end that TLS announced, may be read in one turn, before the channel knew of tunnels.
                let isAnnounced = self.wire == .secured && !self.failed
                downstream.stepTunnel { $0.disconnected(.upstream, inGoodOrder: isAnnounced) }
            } else if self.response == .body, self.body.endsWithConnection, !isBroken {
                self.finishBody(downstream, keepAlive: false)
            } else if self.response == .head, let unsent {
                // It closed in the turn in which it got the request, of which nothing has left this process.
                self.sent = unsent
                downstream.step { $0.upstreamRefused(isKept: true) }
            } else {
                let untouched = self.untouched
                downstream.step { $0.upstreamClosed(untouched: untouched) }
            }
        }
        self.downstream = nil
    }

    /// There is nobody to tell any more.
    func forgetDownstream() {
        self.downstream = nil
    }

    /// Whether a request can be sent.
    var isActive: Bool { self.channel?.isActive ?? false }

    /// Where it leads; nil over a Unix socket, and when it is closed.
    var remoteAddress: SocketAddress? { self.context?.channel.remoteAddress }

    // MARK: - Requests

    /// A request gets this connection.
    func begin(_ downstream: DownstreamHandler) {
        self.downstream = downstream
        self.response = .head
        self.untouched = true
        self.asked = false
        self.isEventStream = false
        self.setDeadline(.max)
    }

    /// Sends a head.
    ///
    /// - Parameter kept: the request is its head alone and may have to be sent again: the head is kept until the
    ///   response begins.
    func send(_ head: consuming [UInt8], kept: Bool) {
        // A stream keeps what was written to it by itself.
        if kept, self.codec == nil {
            self.sent = head
            self.write(keeping: head)
        } else {
            self.write(head)
        }
        // On a connection that has served others the loop may yet hear in this turn that the service has closed it, or has said
        // more than it was asked, which must not become the answer to this request. Alone it is cheaper to ask the kernel.
        self.goAtOnce(if: self.pool.isServingOne && (!self.hasServed || self.isSilent))
    }

    /// Writes content as one chunk.
    func writeChunk(_ slice: ByteBuffer) {
        self.append { ChunkEncoder.appendSizeLine(slice.readableBytes, to: &$0) }
        self.write(slice)
        self.append { $0.append("\r\n") }
    }

    override func willFlush() {
        self.asked = true
    }

    /// The exchange is over and the connection may serve another.
    func release() {
        self.forget()
        if !self.hasServed { self.pool.answered() }
        self.hasServed = true
        if let codec { self.leaveStream(codec) } else { self.pool.released(self) }
    }

    /// The connection was put among the idle ones.
    func parked() {
        // A stream that nobody wants any more is not kept: the next one costs little.
        if self.codec != nil { return self.closeNow() }
        self.setDeadline(self.loop.now &+ self.idleLimit)
    }

    /// The exchange is over and the connection cannot serve another.
    func discard() {
        self.forget()
        self.pool.discarded(self)
        self.closeNow()
    }

    /// The tunnel is over for its client.
    func leave() {
        self.forget()
        self.response = .leaving
    }

    private func forget() {
        self.downstream = nil
        self.response = .none
        self.forgetSent()
    }

    /// The response has begun, or is not waited for: nothing will be sent again.
    private func forgetSent() {
        guard let sent = self.sent.take() else { return }
        self.loop.giveBuffer(consume sent)
    }

    override func deadlinePassed(now: Int64) {
        // Only idle connections have a deadline.
        guard self.downstream == nil else { return }
        self.closeNow()
    }

    // MARK: - Responses

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let endsRead = self.wire != .stream && self.loop.beginRead()
        defer { if endsRead { self.loop.endRead() } }
        var buffer = self.unwrapInboundIn(data)
        guard self.downstream != nil else {
            if self.response == .leaving { return }
            // Nothing was asked: whatever this is, it is not an answer to the next request.
            self.closeNow()
            return
        }
        guard self.asked else {
            // What is left of the answer before: as good as a connection that closed before it was used.
            self.closeNow()
            return
        }
        self.noteDrained()
        if self.untouched {
            self.untouched = false
            self.forgetSent()
        }
        if var partial = self.partial {
            self.partial = nil
            partial.writeBuffer(&buffer)
            self.process(&partial)
        } else {
            self.process(&buffer)
        }
        self.readOn(context, if: self.mayRead)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.downstream?.flushSlices()
    }

    private func process(_ buffer: inout ByteBuffer) {
        while let downstream = self.downstream {
            switch self.response {
            case .none, .leaving:
                return
            case .head:
                guard buffer.readableBytes > 0, self.readHead(&buffer, downstream) else { return }
            case .body:
                guard self.readBody(&buffer, downstream) else { return }
            case .tunnel:
                return downstream.tunnelled(&buffer, from: .upstream)
            }
        }
    }

    /// Reads a head if it is complete. Returns whether there is more to do.
    private func readHead(_ buffer: inout ByteBuffer, _ downstream: DownstreamHandler) -> Bool {
        let outcome = self.loop.responses.take(
            buffer.readableBytesSpan, resumed: self.partialScanner.take(), limits: Self.headLimits,
            toHead: downstream.toHead)
        switch outcome {
        case .incomplete(let scanner):
            self.partialScanner = scanner
            self.partial = buffer
            return false
        case .head(let facts) where facts.status != 101 && downstream.mayPass(facts.status):
            self.headComplete(&buffer, facts, downstream)
            return true
        case .head(let facts):
            return self.switchProtocols(&buffer, facts, downstream)
        case .problem:
            downstream.step { $0.responseInvalid() }
            return false
        }
    }

    private func headComplete(
        _ buffer: inout ByteBuffer, _ facts: ResponseIntake.Facts, _ downstream: DownstreamHandler
    ) {
        if facts.isInterim {
            downstream.relayInterim(buffer, facts)
        } else {
            self.keepAlive = facts.keepAlive
            self.isEventStream = facts.isEventStream
            if let seconds = facts.keepAliveTimeout {
                // The upstream counts from its own last byte: leave a fifth of its time.
                self.idleLimit = min(self.pool.upstream.idleTimeout, min(seconds, 3600) &* 800_000_000)
            }
            self.body = BodyDecoder(facts.framing, trailerLimit: Self.headLimits.head)
            self.response = .body
            downstream.relayHead(buffer, facts)
        }
        buffer.moveReaderIndex(forwardBy: facts.end)
    }

    /// Heads of responses may be larger than those of requests: services set many cookies.
    private static let headLimits = HeadLimits(head: 64 * 1024, target: 8 * 1024, fields: 500)

    private func readBody(_ buffer: inout ByteBuffer, _ downstream: DownstreamHandler) -> Bool {
        let (step, isRelayed, isComplete) = self.nextOfBody(buffer.readableBytesSpan, downstream)
        switch step {
        case .data(let range):
            if isRelayed {
                buffer.moveReaderIndex(forwardBy: range.upperBound)
            } else {
                buffer.moveReaderIndex(forwardBy: range.lowerBound)
                guard let slice = buffer.readSlice(length: range.count) else { return false }
                self.append(slice, downstream)
            }
            // Asking again would say so, too.
            guard isComplete else { return true }
            self.finishBody(downstream, keepAlive: self.keepAlive && buffer.readableBytes == 0)
            return false
        case .needMore:
            downstream.responseProgressed()
            return false
        case .complete(let end):
            buffer.moveReaderIndex(forwardBy: end)
            // Bytes that no request asked for: the connection is not to be trusted again.
            self.finishBody(downstream, keepAlive: self.keepAlive && buffer.readableBytes == 0)
            return false
        case .problem:
            downstream.step { $0.responseInvalid() }
            return false
        }
    }

    /// Finds out what comes next. Content that `write` would copy anyway is passed on from where it stands: making a slice
    /// of it costs more than the copy.
    @inline(__always)
    private func nextOfBody(
        _ bytes: RawSpan, _ downstream: DownstreamHandler
    ) -> (BodyDecoder.Step, isRelayed: Bool, isComplete: Bool) {
        var body = self.body
        let step = body.next(bytes, from: 0)
        self.body = body
        guard case .data(let range) = step else { return (step, false, false) }
        guard range.count <= Self.copyLimit, downstream.responseFraming != .chunked else {
            return (step, false, body.isComplete)
        }
        downstream.relay { $0.append(bytes.extracting(range)) }
        return (step, true, body.isComplete)
    }

    private func append(_ slice: ByteBuffer, _ downstream: DownstreamHandler) {
        guard downstream.responseFraming == .chunked else { return downstream.relay(slice) }
        downstream.relay { ChunkEncoder.appendSizeLine(slice.readableBytes, to: &$0) }
        downstream.relay(slice)
        downstream.relay { $0.append("\r\n") }
    }

    private func finishBody(_ downstream: DownstreamHandler, keepAlive: Bool) {
        if downstream.responseFraming == .chunked {
            let trailers = self.body.trailers
            downstream.relay { ChunkEncoder.appendEnd(trailers: trailers, to: &$0) }
        }
        self.response = .none
        downstream.step { $0.responseEnded(upstreamKeepsAlive: keepAlive) }
    }

    // MARK: - Flow control

    func read(context: ChannelHandlerContext) {
        if self.mayRead { context.read() } else { self.readPending = true }
    }

    private var mayRead: Bool {
        guard let downstream else { return true }
        return downstream.isWritable
    }

    /// Reads on if reading was held up.
    func resumeReading() {
        guard self.readPending, let context else { return }
        self.readPending = false
        context.read()
    }

    override func drained() {
        self.downstream?.resumeReading()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.drained() }
        context.fireChannelWritabilityChanged()
    }
}
