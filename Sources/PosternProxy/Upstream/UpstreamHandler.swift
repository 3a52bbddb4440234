import NIOCore
import PosternCore

/// One pooled connection to the upstream: writes requests, reads responses strictly, and hands them to the connection that
/// waits. The only handler of its channel.
final class UpstreamHandler: LoopConnection, ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let id: UpstreamPool.ConnectionID
    let loop: LoopContext
    private let pool: LoopPool
    private var context: ChannelHandlerContext?
    private var timer: DeadlineWheel.Entry?
    /// Whose request is on this connection; nil while it is idle. The two refer to each other only during an exchange.
    private var downstream: DownstreamHandler?
    /// Whether the pool's machine counts this connection as in use.
    var isLeased = false
    /// Whether a response was read completely on this connection before.
    private(set) var hasServed = false
    /// The head that was sent last: for sending it again, and as memory for the next one.
    private(set) var sent = ByteBuffer()
    private(set) var isEventStream = false

    private enum Response {
        case none
        case head
        case body
    }
    private var response = Response.none
    private var body = BodyDecoder(.none, trailerLimit: 0)
    private var keepAlive = true
    private var idleLimit: Int64
    private var untouched = true
    /// Whether the request's first bytes left this process: nothing that comes before can be its answer.
    private var asked = false
    private var failed = false
    private var partial: ByteBuffer?
    private var partialScanner: HeadScanner?
    /// What goes to the client next: composed here, and reused once it is written.
    private var out = ByteBuffer()
    private var flushPending = false
    private var readPending = false

    /// Slices up to this size are copied behind what is to be written, which costs less than a write of their own.
    private static let copyLimit = 8 * 1024

    init(id: UpstreamPool.ConnectionID, pool: LoopPool, loop: LoopContext) {
        self.id = id
        self.pool = pool
        self.loop = loop
        self.idleLimit = pool.upstream.idleTimeout
    }

    // MARK: - Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.timer = self.loop.addTimed(self)
        self.loop.metrics.upstreamConnections += 1
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if let timer { self.loop.removeTimed(timer) }
        self.timer = nil
        self.context = nil
        self.loop.metrics.upstreamConnections -= 1
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.failed = true
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.pool.closed(self)
        if let downstream = self.downstream {
            if self.response == .body, self.body.endsWithConnection, !self.failed {
                self.finishBody(downstream, keepAlive: false)
            } else {
                downstream.perform(downstream.exchange.upstreamClosed(untouched: self.untouched))
            }
        }
        self.downstream = nil
        self.loop.flush()
    }

    /// Whether a request can be sent.
    var isActive: Bool { self.context?.channel.isActive ?? false }

    var isWritable: Bool { self.context?.channel.isWritable ?? false }

    // MARK: - Requests

    /// A request gets this connection.
    func begin(_ downstream: DownstreamHandler) {
        self.downstream = downstream
        self.response = .head
        self.untouched = true
        self.asked = false
        self.isEventStream = false
        if let timer { self.loop.setDeadline(timer, .max) }
    }

    /// Sends a head. Its bytes are kept until the next one.
    func send(_ head: [UInt8]) {
        self.sent.clear()
        self.sent.writeBytes(head)
        self.write(self.sent)
    }

    /// Sends a head that waited.
    func send(_ head: ByteBuffer) {
        self.sent = head
        self.write(head)
    }

    /// Writes to the upstream; flushed at the end of this turn.
    func write(_ buffer: ByteBuffer) {
        guard let context else { return }
        context.write(self.wrapOutboundOut(buffer), promise: nil)
        if !self.flushPending {
            self.flushPending = true
            self.loop.needsFlush(self)
        }
    }

    /// Writes content as one chunk.
    func writeChunk(_ slice: ByteBuffer) {
        var size: [UInt8] = []
        size.reserveCapacity(ChunkEncoder.maximumSizeLine)
        ChunkEncoder.appendSizeLine(slice.readableBytes, to: &size)
        var buffer = ByteBuffer(bytes: size)
        if slice.readableBytes <= Self.copyLimit {
            buffer.writeImmutableBuffer(slice)
            buffer.writeStaticString("\r\n")
            self.write(buffer)
        } else {
            self.write(buffer)
            self.write(slice)
            self.write(ByteBuffer(staticString: "\r\n"))
        }
    }

    override func flushNow() {
        guard self.flushPending else { return }
        self.flushPending = false
        self.asked = true
        self.context?.flush()
    }

    /// The exchange is over and the connection may serve another.
    func release() {
        self.downstream = nil
        self.response = .none
        self.hasServed = true
        self.pool.released(self)
    }

    /// The connection was put among the idle ones.
    func parked() {
        if let timer { self.loop.setDeadline(timer, self.loop.now &+ self.idleLimit) }
    }

    /// The exchange is over and the connection cannot serve another.
    func discard() {
        self.downstream = nil
        self.response = .none
        self.pool.discarded(self)
        self.close()
    }

    func close() {
        self.context?.close(promise: nil)
    }

    override func deadlinePassed(now: Int64) {
        // Only idle connections have a deadline.
        guard self.downstream == nil else { return }
        self.close()
    }

    // MARK: - Responses

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = self.unwrapInboundIn(data)
        guard self.downstream != nil else {
            // Nothing was asked: whatever this is, it is not an answer to the next request.
            self.close()
            return
        }
        guard self.asked else {
            // What is left of the answer before: as good as a connection that closed before it was used.
            self.close()
            return
        }
        self.untouched = false
        if var partial = self.partial {
            self.partial = nil
            partial.writeBuffer(&buffer)
            self.process(&partial)
        } else {
            self.process(&buffer)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.loop.flush()
    }

    private func process(_ buffer: inout ByteBuffer) {
        while let downstream = self.downstream {
            switch self.response {
            case .none:
                return
            case .head:
                guard buffer.readableBytes > 0, self.readHead(&buffer, downstream) else { return }
            case .body:
                guard self.readBody(&buffer, downstream) else { return }
            }
        }
    }

    /// Reads a head if it is complete. Returns whether there is more to do.
    private func readHead(_ buffer: inout ByteBuffer, _ downstream: DownstreamHandler) -> Bool {
        let loop = self.loop
        if let scanner = self.partialScanner {
            loop.responseScanner = scanner
            self.partialScanner = nil
        } else {
            loop.responseScanner.reset()
        }
        let outcome = loop.responseScanner.scan(buffer.readableBytesSpan, limits: Self.headLimits)
        switch outcome {
        case .incomplete:
            self.partialScanner = loop.responseScanner
            self.partial = buffer
            return false
        case .problem:
            downstream.perform(downstream.exchange.responseInvalid())
            return false
        case .complete(let end):
            return self.headComplete(&buffer, end: end, downstream)
        }
    }

    private func headComplete(_ buffer: inout ByteBuffer, end: Int, _ downstream: DownstreamHandler) -> Bool {
        let loop = self.loop
        do throws(HTTPProblem) {
            try loop.response.read(
                buffer.readableBytesSpan, lines: loop.responseScanner.lines, end: end, toHead: downstream.toHead)
            // Nobody asked for another protocol.
            guard loop.response.status != 101 else { throw .malformed(.startLine) }
        } catch {
            downstream.perform(downstream.exchange.responseInvalid())
            return false
        }
        if loop.response.isInterim {
            downstream.relayInterim(buffer)
            buffer.moveReaderIndex(forwardBy: end)
            return true
        }
        self.keepAlive = loop.response.keepAlive
        self.isEventStream = loop.response.isEventStream
        if let seconds = loop.response.keepAliveTimeout {
            // The upstream counts from its own last byte: leave a fifth of its time.
            self.idleLimit = min(self.pool.upstream.idleTimeout, min(seconds, 3600) &* 800_000_000)
        }
        self.body = BodyDecoder(loop.response.framing, trailerLimit: Self.headLimits.head)
        downstream.relayHead(buffer)
        self.out.clear()
        self.out.writeBytes(loop.output)
        buffer.moveReaderIndex(forwardBy: end)
        self.response = .body
        return true
    }

    /// Heads of responses may be larger than those of requests: services set many cookies.
    private static let headLimits = HeadLimits(head: 64 * 1024, target: 8 * 1024, fields: 500)

    private func readBody(_ buffer: inout ByteBuffer, _ downstream: DownstreamHandler) -> Bool {
        switch self.body.next(buffer.readableBytesSpan, from: 0) {
        case .data(let range):
            buffer.moveReaderIndex(forwardBy: range.lowerBound)
            guard let slice = buffer.readSlice(length: range.count) else { return false }
            self.append(slice, downstream)
            return true
        case .needMore:
            self.writeOut(downstream)
            downstream.responseProgressed()
            return false
        case .complete(let end):
            buffer.moveReaderIndex(forwardBy: end)
            // Bytes that no request asked for: the connection is not to be trusted again.
            self.finishBody(downstream, keepAlive: self.keepAlive && buffer.readableBytes == 0)
            return false
        case .problem:
            self.writeOut(downstream)
            downstream.perform(downstream.exchange.responseInvalid())
            return false
        }
    }

    private func append(_ slice: ByteBuffer, _ downstream: DownstreamHandler) {
        let chunked = downstream.responseFraming == .chunked
        if chunked {
            self.loop.output.removeAll(keepingCapacity: true)
            ChunkEncoder.appendSizeLine(slice.readableBytes, to: &self.loop.output)
            self.out.writeBytes(self.loop.output)
        }
        if slice.readableBytes <= Self.copyLimit {
            self.out.writeImmutableBuffer(slice)
        } else {
            self.writeOut(downstream)
            downstream.write(slice)
        }
        if chunked { self.out.writeStaticString("\r\n") }
    }

    private func writeOut(_ downstream: DownstreamHandler) {
        guard self.out.readableBytes > 0 else { return }
        downstream.write(self.out)
        self.out.clear()
    }

    private func finishBody(_ downstream: DownstreamHandler, keepAlive: Bool) {
        if downstream.responseFraming == .chunked {
            self.loop.output.removeAll(keepingCapacity: true)
            ChunkEncoder.appendEnd(trailers: self.body.trailers, to: &self.loop.output)
            self.out.writeBytes(self.loop.output)
        }
        self.writeOut(downstream)
        self.response = .none
        downstream.perform(downstream.exchange.responseEnded(upstreamKeepsAlive: keepAlive))
    }

    // MARK: - Flow control

    func read(context: ChannelHandlerContext) {
        if let downstream, !downstream.isWritable {
            self.readPending = true
        } else {
            context.read()
        }
    }

    /// Reads on if reading was held up.
    func resumeReading() {
        guard self.readPending, let context else { return }
        self.readPending = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.downstream?.resumeReading() }
        context.fireChannelWritabilityChanged()
    }
}
