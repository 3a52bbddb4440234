import NIOCore
import NIOTLS
import PosternCore

/// One client connection: feeds what comes to the exchange machine and carries out what it says. The only handler of its
/// channel, but for TLS before it; or that of a stream of HTTP/2, behind a codec that makes a connection with one request of
/// it. Bytes stay in the buffers they were read into until they are written to the other side.
///
/// Parts: `+Request` (heads and decisions), `+Body` (request bodies), `+Actions` (what the machine says), `+Tunnel` (what
/// follows a change of protocol), `+Record` (metrics and log), `+Trace` (spans).
final class DownstreamHandler: LoopConnection, ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let client: ClientFacts
    /// The codec before this handler, where this is a stream; nil for a connection.
    let stream: DownstreamStreamHandler?
    /// Whether the connection went over to HTTP/2, and is somebody else's.
    var wasHandedOver = false
    private(set) var exchange = Exchange()
    var record = ExchangeRecord()
    var texts = ExchangeTexts()
    /// What a trusted proxy said last; counts for a request whose record says so. Nil until there is one.
    var proxied: ProxiedClient?
    /// The trace of the current request; nil until one could be recorded.
    var trace: RequestTrace?
    var upstream: UpstreamHandler?
    /// Where the current request gets its upstream connection.
    var pool: LoopPool?
    /// The request's place among those that wait for an upstream connection.
    var waiter: UpstreamPool.WaiterID?
    /// Whether only a connection that has not served yet will do.
    var wantsFresh = false
    /// Why the current request is refused, until the answer is written.
    var refusal: Refusal?
    /// How the current response goes to the client.
    var responseFraming = DownstreamHead.Framing.plain
    /// The upstream's head, until there is a connection to send it on.
    var heldHead: [UInt8]?
    var body = BodyDecoder(.none, trailerLimit: 0)
    var bodyIsChunked = false
    var bodyBytes: Int64 = 0
    /// What the route says of the current request: nanoseconds for the response head, bytes of the body.
    var responseTimeout: Int64 = 0
    var bodyLimit: Int64?
    /// The snapshot that the current request is judged by.
    var snapshot: Snapshot
    var minorVersion: UInt8 = 1
    var toHead = false
    /// A refetch of keys was waited for already.
    var keysWereRefetched = false
    /// Counts the requests of this connection: an answer that comes late is not for the next one.
    private(set) var requestNumber: UInt64 = 0
    /// What introspection found out about the current request's token, until it is judged again.
    var finding: IntrospectionFinding?
    /// The change of protocol that the current request asks for, and the tunnel that it becomes.
    var tunnel: TunnelLink?
    /// Bytes that were read and not used yet: a part of a head, or what follows the current request.
    var pending: ByteBuffer?
    private var partialScanner: HeadScanner?
    private var isProcessing = false
    private var readPending = false
    private var lingeredBytes = 0

    /// Bytes of pipelined requests that are kept before reading stops.
    private static let pendingLimit = 64 * 1024
    /// After the last answer: how much is thrown away, and for how long, in nanoseconds.
    private static let lingerBytes = 1 << 20
    static let lingerTime: Int64 = 2_000_000_000

    init(loop: LoopContext, client: ClientFacts, overTLS: Bool = false) {
        self.client = client
        self.stream = nil
        self.snapshot = loop.snapshot
        super.init(loop: loop, wire: overTLS ? .handshaking : .plain)
    }

    /// A stream of HTTP/2.
    init(loop: LoopContext, client: ClientFacts, stream: DownstreamStreamHandler) {
        self.client = client
        self.stream = stream
        self.snapshot = loop.snapshot
        super.init(loop: loop, wire: .stream)
    }

    /// Tells the machine what happened and does what it says. The machine is taken out and put back, so that what it says
    /// may lead to the next event.
    @inline(__always)
    func step(_ event: (inout Exchange) -> Exchange.Action) {
        var machine = self.exchange
        let action = event(&machine)
        self.exchange = machine
        self.perform(action)
    }

    /// Tells the machine something that asks for nothing.
    @inline(__always)
    func note<Result>(_ event: (inout Exchange) -> Result) -> Result {
        var machine = self.exchange
        let result = event(&machine)
        self.exchange = machine
        return result
    }

    // MARK: - Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.attach(context)
        self.setDeadline(self.loop.now &+ self.snapshot.timeouts.head)
        self.loop.add(self)
        if context.channel.isActive { self.opened(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.detach()
        self.loop.remove(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.opened(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.closed()
        if self.exchange.state == .tunnelling { self.stepTunnel { $0.disconnected(.client) } }
        self.step { $0.disconnected() }
        self.finishRecord()
        self.pending = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The end of the channel or of its input follows, and is what counts; but what is neither HTTP nor a WebSocket has
        // no other word for its end.
        if TLSTrouble.isUncleanEnd(error), self.exchange.state != .tunnelling || self.tunnel?.upgrade.kind != .other {
            return
        }
        // A second error may come with the end of the channel.
        if self.wire == .handshaking, context.channel.isActive { self.handshakeFailed(error) }
        if self.exchange.state == .tunnelling { self.stepTunnel { $0.failed(.client) } }
        self.breakOff()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            if self.exchange.state == .tunnelling { return self.tunnelInputEnded(.client) }
            // What was sent before the end still counts, if the machine waits for nothing else.
            self.step { $0.inputClosed() }
        } else if case .handshakeCompleted(let negotiated) = event as? TLSUserEvent {
            self.handshakeCompleted()
            if negotiated == "h2" { self.goOver(with: ByteBuffer()) }
        }
    }

    // MARK: - Bytes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let endsRead = self.wire != .stream && self.loop.beginRead()
        defer { if endsRead { self.loop.endRead() } }
        var buffer = self.unwrapInboundIn(data)
        if var pending = self.pending {
            self.pending = nil
            pending.writeBuffer(&buffer)
            self.pending = pending
            self.processPending()
            return
        }
        self.process(&buffer)
        if buffer.readableBytes > 0, self.exchange.state != .closed { self.pending = buffer }
        self.readOn(context, if: self.mayRead)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.upstream?.flushSlices()
    }

    /// Goes on with bytes that were put aside.
    func processPending() {
        guard !self.isProcessing, var buffer = self.pending else { return }
        self.pending = nil
        self.process(&buffer)
        if buffer.readableBytes > 0, self.exchange.state != .closed { self.pending = buffer }
        self.resumeReading()
    }

    private func process(_ buffer: inout ByteBuffer) {
        self.isProcessing = true
        defer { self.isProcessing = false }
        while buffer.readableBytes > 0 {
            switch self.exchange.state {
            case .idle, .readingHead:
                if self.exchange.state == .idle {
                    // Answers that the client does not take hold up the next request.
                    guard self.isWritable else { return }
                    self.beginRequest()
                }
                guard self.readHead(&buffer) else { return }
            case .forwarding where self.exchange.readsBody:
                self.forwardBody(&buffer)
            case .tunnelling:
                self.tunnelled(&buffer, from: .client)
            case .lingering, .closed:
                self.lingeredBytes += buffer.readableBytes
                buffer.moveReaderIndex(to: buffer.writerIndex)
                if self.lingeredBytes > Self.lingerBytes { self.closeNow() }
                return
            case .verifying, .acquiring, .forwarding:
                return
            }
        }
    }

    private func beginRequest() {
        self.note { $0.received() }
        self.requestNumber &+= 1
        self.toHead = false
        let now = self.loop.now
        self.openRecord(now: now)
        self.setDeadline(now &+ self.snapshot.timeouts.head)
    }

    /// Reads a head if it is complete. Returns whether there is more to do with the buffer.
    private func readHead(_ buffer: inout ByteBuffer) -> Bool {
        if !self.record.isOpen { self.openRecord(now: self.loop.now) }
        let snapshot = self.loop.snapshot
        // A head that waited for keys may be judged under another policy now: its route's number means nothing there.
        self.record.route = ExchangeRecord.notRouted
        var requestID = self.texts.requestID.takeAll()
        let outcome = self.loop.intake.take(
            buffer.readableBytesSpan, resumed: self.partialScanner.take(), gate: snapshot.gate,
            limits: snapshot.headLimits, now: self.loop.wallTime, requestID: &requestID)
        self.texts.requestID = requestID
        switch outcome {
        case .incomplete(let scanner):
            self.partialScanner = scanner
            return false
        case .problem(let problem):
            if problem == .versionNotSupported, self.isPreface(buffer) {
                self.goOver(with: buffer)
                buffer.clear()
                return false
            }
            self.snapshot = snapshot
            self.refuseHead(problem)
            buffer.moveReaderIndex(to: buffer.writerIndex)
            return false
        case .judged(let facts, let route, let verdict):
            // Nearly always the one that is there.
            if self.snapshot !== snapshot { self.snapshot = snapshot }
            return self.headTaken(&buffer, facts, route: route, verdict)
        }
    }

    // MARK: - Flow control

    func read(context: ChannelHandlerContext) {
        if self.mayRead {
            context.read()
        } else {
            self.readPending = true
        }
    }

    private var mayRead: Bool {
        if let pending, self.exchange.isBusy, pending.readableBytes >= Self.pendingLimit { return false }
        if self.exchange.readsBody, let upstream, !upstream.isWritable { return false }
        if self.exchange.state == .idle, !self.isWritable { return false }
        return true
    }

    /// Reads on if reading was held up and no reason for it is left.
    func resumeReading() {
        guard self.readPending, self.mayRead, let context else { return }
        self.readPending = false
        context.read()
    }

    override func drained() {
        self.upstream?.resumeReading()
        self.processPending()
        self.resumeReading()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.drained() }
        context.fireChannelWritabilityChanged()
    }

    /// Passes on to the client what was made here.
    @inline(__always)
    func relay(_ body: (inout [UInt8]) -> Void) {
        var out = self.takeOut()
        let before = out.count
        body(&out)
        self.record.bytesOut &+= Int64(out.count &- before)
        self.giveBack(out)
    }

    /// Passes on to the client a slice of what came.
    func relay(_ slice: ByteBuffer) {
        self.record.bytesOut &+= Int64(slice.readableBytes)
        self.write(slice)
    }

    // MARK: - Time and end

    override func deadlinePassed(now: Int64) {
        if self.exchange.state == .tunnelling { return self.stepTunnel { $0.deadlinePassed(now: now) } }
        let connecting = self.waiter != nil && (self.pool?.machine.connecting ?? 0) > 0
        let isDrained = self.exchange.state == .idle && self.exchange.isDraining
        let action = self.note { $0.deadlinePassed(connecting: connecting) }
        guard action == .close else { return self.perform(action) }
        // The last answer may still be on its way to a slow client.
        if isDrained { return self.closeAfterWriting() }
        // What was written last is not being read: it is not waited for.
        self.finishRecord()
        self.closeNow()
    }

    /// The process is to end.
    func drain() {
        self.note { $0.drain() }
        switch self.exchange.state {
        case .idle: self.setDeadline(min(self.deadline, self.loop.now &+ self.loop.drainPatience))
        case .tunnelling: self.drainTunnel()
        default: break
        }
    }

    /// How long the next request is waited for, in nanoseconds.
    var idleTime: Int64 {
        self.exchange.isDraining ? self.loop.drainPatience : self.snapshot.timeouts.idle
    }

    /// A new policy is in force: the one that the last request was judged by is not kept for the next one.
    func adopt(_ snapshot: Snapshot) {
        if self.exchange.state == .idle, !self.record.isOpen { self.snapshot = snapshot }
    }

    /// The process ends now.
    func end() {
        if self.exchange.state == .tunnelling { self.stepTunnel { $0.ended() } }
        let action = self.note { $0.ended() }
        // The answer is with the system before the process is gone.
        if action == .none { self.closeAtOnce() } else { self.perform(action) }
    }

    /// Half-closes once everything that was written is out, then waits a moment for the client to close.
    func linger() {
        guard self.context != nil else { return }
        self.lingeredBytes = 0
        self.pending = nil
        self.flushNow()
        self.setDeadline(self.loop.now &+ self.snapshot.timeouts.bodyIdle)
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        self.closeOutput {
            let handler = bound.value
            handler.setDeadline(handler.loop.now &+ Self.lingerTime)
        }
    }
}
