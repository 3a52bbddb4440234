import NIOCore
import NIOHPACK
import NIOHTTP2
import PosternCore

/// What ends a stream to a service, besides the end of its connection.
enum UpstreamStreamTrouble: Error {
    /// The service has not looked at the request (RFC 9113 section 8.7), or it never left.
    case refused
    /// The service gave the stream up.
    case reset
    /// The service sent something that is no response.
    case invalid(UpstreamResponseProblem)
    /// The library found frames of the service out of order.
    case outOfOrder
    /// The request cannot be sent over HTTP/2.
    case unsendable(UpstreamRequest.Problem)
}

/// Stands between a stream of HTTP/2 to a service and the handler of connections to services, which writes and reads
/// HTTP/1.1: the first handler of the stream's channel. What either message may be is decided by `UpstreamRequest` and
/// `UpstreamResponse`.
final class UpstreamStreamCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    let session: UpstreamSession
    private var request: UpstreamRequest
    /// There once the request's head has gone.
    private var response: UpstreamResponse?
    /// Bytes of a head that is not complete.
    private var unread: ByteBuffer?
    /// What was written so far, while it may have to be sent again on another stream; nil: too much, or no more.
    private var kept: [ByteBuffer]? = []
    private var keptBytes = 0
    /// Whether the service said itself that it gives the stream up.
    private var sawReset = false
    private var trouble: UpstreamStreamTrouble?
    /// Whether the request was its head alone.
    private var endedWithHead = false

    /// Bytes of a request that are kept: a GOAWAY that meets it on its way is no reason to fail it.
    private static let keptLimit = 64 * 1024

    init(session: UpstreamSession) {
        self.session = session
        self.request = UpstreamRequest(overTLS: session.isOverTLS)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.session.forgetFields(of: self)
        self.session.streamClosed()
    }

    /// The request as far as it was written, as HTTP/1.1; nil if that is not at hand.
    func takeRequest() -> [UInt8]? {
        guard let kept = self.kept.take() else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(self.keptBytes)
        for piece in kept { bytes.append(piece.readableBytesSpan) }
        return bytes
    }

    private func keep(_ buffer: ByteBuffer) {
        guard self.kept != nil else { return }
        self.keptBytes += buffer.readableBytes
        if self.keptBytes > Self.keptLimit { self.kept = nil } else { self.kept?.append(buffer) }
    }

    // MARK: - Request

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var buffer = self.unwrapOutboundIn(data)
        if buffer.readableBytes > 0 { self.keep(buffer) }
        if var unread = self.unread.take() {
            unread.writeBuffer(&buffer)
            buffer = unread
        }
        var frames: [HTTP2Frame.FramePayload] = []
        self.read(&buffer, context, &frames)
        guard let last = frames.popLast() else {
            promise?.succeed()
            return
        }
        for frame in frames { context.write(self.wrapOutboundOut(frame), promise: nil) }
        context.write(self.wrapOutboundOut(last), promise: promise)
    }

    /// Turns what is in `buffer` into frames. The last content carries the end of the stream where that is known.
    private func read(
        _ buffer: inout ByteBuffer, _ context: ChannelHandlerContext, _ frames: inout [HTTP2Frame.FramePayload]
    ) {
        var held: ByteBuffer?
        defer { if let held { frames.append(Self.data(held, endStream: false)) } }
        while self.trouble == nil {
            switch self.request.next(buffer.readableBytesSpan) {
            case .needMore:
                if buffer.readableBytes > 0 { self.unread = buffer }
                return
            case .head(let end):
                buffer.moveReaderIndex(forwardBy: end)
                self.writeHead(context)
            case .data(let range):
                if let held { frames.append(Self.data(held, endStream: false)) }
                buffer.moveReaderIndex(forwardBy: range.lowerBound)
                held = buffer.readSlice(length: range.count)
            case .dataGoesOn, .done:
                return
            case .complete(let end):
                buffer.moveReaderIndex(forwardBy: end)
                self.endRequest(held.take(), &frames)
            case .problem(let problem):
                self.fail(.unsendable(problem), context)
            }
        }
    }

    private func writeHead(_ context: ChannelHandlerContext) {
        let accept = self.request.webSocketKey.map { WebSocketKey.accept($0) }
        self.response = UpstreamResponse(toHead: self.request.isHead, accept: accept)
        self.endedWithHead = self.request.isComplete
        let headers = HPACKHeaders(self.request.pseudoFields)
        let frame = self.fields(headers, endStream: self.endedWithHead)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        // What cannot be written, after a GOAWAY that has just come, never left.
        context.write(self.wrapOutboundOut(frame)).whenFailure { error in
            let (codec, context) = bound.value
            guard error is NIOHTTP2Errors.CreatedStreamAfterGoaway || error is NIOHTTP2Errors.StreamError else {
                return
            }
            codec.fail(.refused, context)
            context.close(promise: nil)
        }
    }

    private func endRequest(_ held: ByteBuffer?, _ frames: inout [HTTP2Frame.FramePayload]) {
        guard self.request.block.isEmpty else {
            if let held { frames.append(Self.data(held, endStream: false)) }
            frames.append(self.fields(HPACKHeaders(), endStream: true))
            return
        }
        // A request that ended with its head has said so there.
        if let held {
            frames.append(Self.data(held, endStream: true))
        } else if !self.endedWithHead {
            frames.append(Self.data(ByteBuffer(), endStream: true))
        }
    }

    /// A frame of these fields and of those that the request has in its block.
    private func fields(_ headers: HPACKHeaders, endStream: Bool) -> HTTP2Frame.FramePayload {
        let key = self.session.keep(self.request.block, of: self)
        return .headers(.init(headers: headers, priorityData: key, endStream: endStream))
    }

    private static func data(_ buffer: ByteBuffer, endStream: Bool) -> HTTP2Frame.FramePayload {
        .data(.init(data: .byteBuffer(buffer), endStream: endStream))
    }

    // MARK: - Response

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.trouble == nil else { return }
        do throws(UpstreamResponseProblem) {
            switch self.unwrapInboundIn(data) {
            case .headers(let head): try self.read(head, context)
            case .data(let content): try self.read(content, context)
            case .rstStream: self.sawReset = true
            default: break
            }
        } catch {
            self.fail(.invalid(error), context)
        }
    }

    private func read(
        _ head: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext
    ) throws(UpstreamResponseProblem) {
        self.kept = nil
        var response = self.response ?? UpstreamResponse(toHead: false)
        self.response = nil
        defer { self.response = response }
        try response.beginFields()
        for (name, value, _) in head.headers { try response.add(name, value) }
        var bytes: [UInt8] = []
        try response.endFields(endStream: head.endStream, into: &bytes)
        if !bytes.isEmpty { context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: bytes))) }
    }

    private func read(
        _ content: HTTP2Frame.FramePayload.Data, _ context: ChannelHandlerContext
    ) throws(UpstreamResponseProblem) {
        guard case .byteBuffer(let buffer) = content.data, var response = self.response else {
            throw .unexpectedContent
        }
        let count = buffer.readableBytes
        let (framing, isEnd) = try response.received(count, endStream: content.endStream)
        let isTunnel = response.isTunnel
        self.response = response
        if count > 0 { self.pass(buffer, framing, isEnd: isEnd, context) }
        if count == 0, isEnd { self.pass("0\r\n\r\n", context) }
        if isTunnel, content.endStream { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }

    private func pass(
        _ buffer: ByteBuffer, _ framing: UpstreamResponse.Framing, isEnd: Bool, _ context: ChannelHandlerContext
    ) {
        guard framing == .chunk else { return context.fireChannelRead(self.wrapInboundOut(buffer)) }
        var line: [UInt8] = []
        ChunkEncoder.appendSizeLine(buffer.readableBytes, to: &line)
        let end = isEnd ? "\r\n0\r\n\r\n" : "\r\n"
        guard buffer.readableBytes <= LoopConnection.copyLimit else {
            context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: line)))
            context.fireChannelRead(self.wrapInboundOut(buffer))
            return self.pass(end, context)
        }
        var chunk = context.channel.allocator.buffer(capacity: line.count + buffer.readableBytes + end.utf8.count)
        chunk.writeBytes(line)
        chunk.writeImmutableBuffer(buffer)
        chunk.writeString(end)
        context.fireChannelRead(self.wrapInboundOut(chunk))
    }

    private func pass(_ text: String, _ context: ChannelHandlerContext) {
        context.fireChannelRead(self.wrapInboundOut(ByteBuffer(string: text)))
    }

    // MARK: - End

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let closed = error as? NIOHTTP2Errors.StreamClosed else { return context.fireErrorCaught(error) }
        // The whole response may be followed by the wish to be spared the rest of the request (RFC 9113 section 8.1).
        guard self.response?.isComplete != true else { return }
        // The library gives a stream that GOAWAY leaves out the code that a service's own reset could have.
        let wasLeftOut = !self.sawReset && self.session.leavesOut(closed.streamID)
        if wasLeftOut || (self.sawReset && closed.errorCode == .refusedStream) {
            self.fail(.refused, context)
        } else {
            self.fail(self.sawReset ? .reset : .outOfOrder, context)
        }
    }

    private func fail(_ trouble: UpstreamStreamTrouble, _ context: ChannelHandlerContext) {
        guard self.trouble == nil else { return }
        self.trouble = trouble
        context.fireErrorCaught(trouble)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch (mode, self.trouble) {
        case (.output, _):
            // Half of a tunnel.
            context.writeAndFlush(self.wrapOutboundOut(Self.data(ByteBuffer(), endStream: true)), promise: promise)
        case (_, .invalid):
            context.writeAndFlush(self.wrapOutboundOut(.rstStream(.protocolError)), promise: promise)
        default:
            context.close(mode: mode, promise: promise)
        }
    }
}

extension HPACKHeaders {
    /// The fields of a request to a service.
    init(_ fields: [UpstreamRequest.Field]) {
        self.init()
        self.reserveCapacity(fields.count)
        for field in fields {
            self.add(name: field.name, value: field.value, indexing: field.isUnindexed ? .neverIndexed : .indexable)
        }
    }
}
