import NIOCore
import NIOHPACK
import NIOHTTP2
import PosternCore

/// Makes a connection of HTTP/1.1 with one request of a stream of HTTP/2, for the `DownstreamHandler` behind it: fields become
/// a head that the one strict parser reads, content becomes a body, and what is written becomes frames (`+Response`).
///
/// A malformed request (RFC 9113 section 8.1.1) ends its stream with PROTOCOL_ERROR; nothing of it, or nothing more of it,
/// comes to the handler behind.
final class DownstreamStreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// What of the request comes next.
    enum Input: Equatable {
        /// The field section. Exits: all others.
        case head
        /// So many bytes of content. Exits: `ended`, `failed`.
        case length(left: Int64)
        /// Content of any length, which goes on in chunks. Exits: `ended`, `failed`.
        case chunked(begun: Bool)
        /// What the tunnel passes on. Exits: `ended`, `failed`.
        case tunnel
        /// Nothing: the client has ended the stream.
        case ended
        /// The request is malformed.
        case failed
    }

    let loop: LoopContext
    /// The connection. It outlives its streams.
    private(set) weak var session: DownstreamSessionHandler?
    private(set) var input = Input.head
    /// What the stream asks to become; nil: it is a request like others.
    private(set) var tunnel: DownstreamRequestHead.Tunnel?
    /// The key that the service is asked with, for a WebSocket.
    private(set) var webSocketKey: [UInt8] = []
    /// Whether the end of the client's input is still to be told to the tunnel.
    private var inputEndWaits = false

    // What `+Response` needs.
    var response = DownstreamResponse(toHead: false)
    /// Content that may turn out to be the last.
    var held: ByteBuffer?
    /// The beginning of a head.
    var partial: ByteBuffer?
    /// The tunnel's output has ended.
    var outputEnded = false
    /// Whether the stream is over.
    var isClosed = false
    /// Who waits for the end of a response that was written.
    var waiting: EventLoopPromise<Void>?

    init(loop: LoopContext, session: DownstreamSessionHandler) {
        self.loop = loop
        self.session = session
    }

    // MARK: - Frames

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let payload = self.unwrapInboundIn(data)
        guard self.input != .failed, self.input != .ended else { return }
        do throws(HTTP2Malformation) {
            switch payload {
            case .headers(let frame) where self.input == .head:
                try self.headCame(frame.headers, endsStream: frame.endStream, context)
            case .headers(let frame):
                try self.trailersCame(frame.headers, endsStream: frame.endStream, context)
            case .data(let frame):
                guard case .byteBuffer(let bytes) = frame.data else { return }
                try self.contentCame(bytes, endsStream: frame.endStream, context)
            default:
                break
            }
        } catch {
            self.fail(context)
        }
    }

    private func headCame(
        _ fields: HPACKHeaders, endsStream: Bool, _ context: ChannelHandlerContext
    ) throws(HTTP2Malformation) {
        var key: [UInt8] = []
        let (head, facts) = try self.loop.streamHeads.makeRequest(fields, endsStream: endsStream) {
            key = WebSocketKey.make()
            return key
        }
        self.webSocketKey = key
        self.tunnel = facts.tunnel
        self.response = DownstreamResponse(toHead: facts.toHead)
        if facts.tunnel != nil {
            self.input = .tunnel
        } else {
            switch facts.framing {
            case .length(let length): self.input = .length(left: length)
            case .chunked: self.input = .chunked(begun: false)
            case .none, .untilClose: self.input = .length(left: 0)
            }
        }
        if endsStream { self.inputEnded() }
        context.fireChannelRead(self.wrapInboundOut(head))
    }

    private func contentCame(
        _ bytes: ByteBuffer, endsStream: Bool, _ context: ChannelHandlerContext
    ) throws(HTTP2Malformation) {
        let count = Int64(bytes.readableBytes)
        switch self.input {
        case .length(let left):
            guard count <= left, !endsStream || count == left else { throw .contentLength }
            self.input = .length(left: left - count)
            if endsStream { self.inputEnded() }
            if count > 0 { context.fireChannelRead(self.wrapInboundOut(bytes)) }
        case .chunked(let begun):
            if count > 0 { self.passChunk(bytes, begun: begun, context) }
            if endsStream { self.endChunks([], begun: begun || count > 0, context) }
        case .tunnel:
            if count > 0 { context.fireChannelRead(self.wrapInboundOut(bytes)) }
            guard endsStream else { return }
            self.inputEnded()
            if !self.inputEndWaits { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        case .head, .ended, .failed:
            break
        }
    }

    private func trailersCame(
        _ fields: HPACKHeaders, endsStream: Bool, _ context: ChannelHandlerContext
    ) throws(HTTP2Malformation) {
        guard endsStream else { throw .trailers }
        var lines: [UInt8] = []
        for field in fields { try DownstreamTrailers.append(field.name, field.value, to: &lines) }
        switch self.input {
        case .length(let left):
            // HTTP/1.1 has no place for trailers behind content of a known length: they may be left out (RFC 9110
            // section 6.5.1).
            guard left == 0 else { throw .contentLength }
            self.inputEnded()
        case .chunked(let begun):
            self.endChunks(lines, begun: begun, context)
        case .tunnel:
            throw .trailers
        case .head, .ended, .failed:
            break
        }
    }

    // MARK: - Chunks

    private func passChunk(_ bytes: ByteBuffer, begun: Bool, _ context: ChannelHandlerContext) {
        var line: [UInt8] = []
        if begun { line.append("\r\n") }
        ChunkEncoder.appendSizeLine(bytes.readableBytes, to: &line)
        self.input = .chunked(begun: true)
        context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: line)))
        context.fireChannelRead(self.wrapInboundOut(bytes))
    }

    private func endChunks(_ trailers: [UInt8], begun: Bool, _ context: ChannelHandlerContext) {
        var end: [UInt8] = []
        if begun { end.append("\r\n") }
        ChunkEncoder.appendEnd(trailers: trailers, to: &end)
        self.inputEnded()
        context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: end)))
    }

    // MARK: - Ends

    private func inputEnded() {
        self.inputEndWaits = self.input == .tunnel && !self.response.isTunnel
        self.input = .ended
    }

    /// The tunnel is open.
    func tunnelOpened(_ context: ChannelHandlerContext) {
        guard self.inputEndWaits else { return }
        self.inputEndWaits = false
        // Not while the other side still tells of its 101.
        let bound = NIOLoopBound(context, eventLoop: self.loop.eventLoop)
        self.loop.eventLoop.execute { bound.value.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }

    private func fail(_ context: ChannelHandlerContext) {
        self.input = .failed
        self.loop.metrics.malformedStreams &+= 1
        self.reset(.protocolError, context)
        self.session?.malformed()
    }

    /// Ends the stream with RST_STREAM, if it is not over.
    func reset(_ code: HTTP2ErrorCode, _ context: ChannelHandlerContext) {
        guard !self.isClosed else { return }
        self.held = nil
        context.writeAndFlush(self.wrapOutboundOut(.rstStream(code)), promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.session?.forgetFields(of: self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.isClosed = true
        self.waiting?.succeed(())
        self.waiting = nil
        context.fireChannelInactive()
    }
}
