import NIOCore
import NIOHTTP2
import PosternCore

/// One HTTP/2 connection to a service, behind the library's handler: hears what the service says about the connection as
/// a whole, and opens streams.
final class UpstreamSession: LoopConnection, ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// How far it is.
    private enum State {
        /// The service has not sent its settings. Exits: open, closed.
        case opening
        case open
        case closed
    }

    /// The service was asked for HTTP/2 by ALPN and did not agree.
    struct NotOffered: Error, CustomStringConvertible {
        let description = "the service does not offer HTTP/2 over TLS (ALPN h2), which protocol: h2 needs"
    }

    let id: UpstreamSessions.SessionID
    let isOverTLS: Bool
    private let sessions: LoopSessions
    /// Of a pool that is replaced only its connections are left.
    private let pool: LoopPool
    private var state = State.opening
    private var multiplexer: NIOHTTP2Handler.StreamMultiplexer?
    private let output: UpstreamSessionWire
    /// The last stream that the service will look at, once it has said so.
    private var lastStream: HTTP2StreamID?
    private var wasLeft = false
    /// Whether a whole response has come on it.
    private(set) var hasServed = false
    /// Whether the service takes WebSockets over HTTP/2 (RFC 8441).
    private(set) var takesWebSockets = false
    /// What is wrong with the connection, for people.
    private var trouble: String?

    init(id: UpstreamSessions.SessionID, sessions: LoopSessions, pool: LoopPool, loop: LoopContext) {
        self.id = id
        self.isOverTLS = pool.upstream.tls != nil
        self.sessions = sessions
        self.pool = pool
        self.output = UpstreamSessionWire(loop: loop, wire: self.isOverTLS ? .secured : .plain)
        super.init(loop: loop, wire: self.isOverTLS ? .secured : .plain)
    }

    /// Puts the handlers of a session behind what is in the channel.
    func install(in channel: any Channel) throws {
        let handler = NIOHTTP2Handler(
            mode: .client, eventLoop: channel.eventLoop, connectionConfiguration: Self.connectionConfiguration,
            streamConfiguration: Self.streamConfiguration
        ) { stream in
            // Only a push would open one, and that is switched off.
            stream.close()
        }
        try channel.pipeline.syncOperations.addHandlers([
            self.output, WholeFramesHandler(fromClient: false), handler, self,
        ])
        self.multiplexer = try handler.syncMultiplexer()
    }

    // MARK: - Limits

    /// What a service may do to the connection. A list of fields over 64 KiB is an invalid response of its stream, one over
    /// 256 KiB the end of the connection.
    static var connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 256 * 1024),
        ]
        // Fields and lengths are checked by `UpstreamResponse`, whose verdict is a 502 for the one stream.
        configuration.headerBlockValidation = .disabled
        configuration.contentLengthValidation = .disabled
        configuration.maximumSequentialEmptyDataFrames = 100
        configuration.maximumSequentialContinuationFrames = 16
        configuration.targetWindowSize = 1 << 20
        // Clients that go away at once leave streams that the service does not know to be over yet.
        configuration.maximumRecentlyResetStreams = 1_000
        configuration.controlFrameRateLimit.maximumCount = 1_000
        configuration.controlFrameRateLimit.windowLength = .seconds(10)
        configuration.maximumConnectionGlitches = 1_000
        return configuration
    }

    private static var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.outboundBufferSizeHighWatermark = 64 * 1024
        configuration.outboundBufferSizeLowWatermark = 32 * 1024
        // A service may refuse many streams at once when it is overloaded.
        configuration.streamResetFrameRateLimit.maximumCount = 10_000
        configuration.streamResetFrameRateLimit.windowLength = .seconds(10)
        return configuration
    }

    // MARK: - Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.attach(context)
        self.loop.metrics.upstreamConnections += 1
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.detach()
        self.loop.metrics.upstreamConnections -= 1
    }

    /// The connection is there; the service has until `deadline` to send its settings.
    func awaitSettings(until deadline: Int64) {
        guard self.context?.channel.isActive == true else { return self.end() }
        if self.state == .opening { self.setDeadline(deadline) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.closed()
        self.end()
        context.fireChannelInactive()
    }

    private func end() {
        let wasOpening = self.state == .opening
        guard self.state != .closed else { return }
        self.state = .closed
        if wasOpening {
            self.sessions.failed(self.trouble ?? "the connection was closed before the service's HTTP/2 settings came")
        } else {
            if !self.hasServed, !self.wasLeft { self.sessions.wasBarren() }
            self.sessions.closed(self)
        }
    }

    /// A whole response has come.
    func served() {
        self.hasServed = true
        self.sessions.served()
    }

    override func deadlinePassed(now: Int64) {
        switch self.state {
        case .opening:
            self.trouble = "no HTTP/2 settings in time"
            self.breakOff()
        case .open:
            self.sessions.left(self)
        case .closed:
            break
        }
    }

    /// No stream is left: the session waits for the next one for a while.
    func parked() {
        self.setDeadline(self.loop.now &+ self.pool.upstream.idleTimeout)
    }

    /// Says goodbye and closes.
    func leave() {
        guard self.state == .open, let context else { return self.breakOff() }
        let goodbye = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: .rootStream, errorCode: .noError, opaqueData: nil))
        context.writeAndFlush(self.wrapOutboundOut(goodbye), promise: nil)
        self.closeNow()
    }

    // MARK: - Streams

    /// Where it leads; nil over a Unix socket, and when it is closed.
    var remoteAddress: SocketAddress? { self.context?.channel.remoteAddress }

    /// Whether streams can be opened.
    var isOpen: Bool { self.state == .open && !self.wasLeft && self.context?.channel.isActive == true }

    /// Whether the service has said that it will not look at a stream (RFC 9113 section 6.8).
    func leavesOut(_ stream: HTTP2StreamID) -> Bool {
        self.lastStream.map { stream > $0 } ?? false
    }

    /// Opens a stream with the handlers that `initialize` adds. Calls `then` in a later turn of the loop.
    func openStream(
        _ initialize: @escaping @Sendable (any Channel) throws -> Void,
        then: @escaping @Sendable (Result<any Channel, any Error>) -> Void
    ) {
        self.setDeadline(.max)
        guard let multiplexer else { preconditionFailure("a session has its handlers before it is open") }
        multiplexer.createStreamChannel { channel in
            do { try initialize(channel) } catch { return channel.eventLoop.makeFailedFuture(error) }
            return channel.eventLoop.makeSucceededVoidFuture()
        }.whenComplete(then)
    }

    /// Keeps encoded fields for a HEADERS frame. Returns what the frame is to have as its priority.
    func keep(_ fields: [UInt8], of stream: UpstreamStreamCodec) -> HTTP2Frame.StreamPriorityData {
        self.output.rawFields.add(fields, of: stream)
    }

    /// A stream's handler has gone.
    func forgetFields(of stream: UpstreamStreamCodec) {
        self.output.rawFields.remove(of: stream)
    }

    /// A stream is over.
    func streamClosed() {
        self.sessions.streamClosed(self)
    }

    // MARK: - What the service says

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = self.unwrapInboundIn(data)
        guard frame.streamID == .rootStream else { return }
        switch frame.payload {
        case .settings(.settings(let settings)): self.settled(settings)
        case .goAway(let last, let code, _): self.goAway(last, code)
        default: break
        }
    }

    private func settled(_ settings: HTTP2Settings) {
        for setting in settings where setting.parameter == .enableConnectProtocol {
            self.takesWebSockets = setting.value == 1
        }
        let limit = settings.last { $0.parameter == .maxConcurrentStreams }?.value
        if self.state == .opening {
            self.state = .open
            self.setDeadline(.max)
            self.sessions.opened(self, limit: limit ?? Self.noLimit)
        } else if let limit {
            self.sessions.limitChanged(self, to: limit)
        }
    }

    /// What counts where the service sets no limit: the library opens no more until it has heard of one.
    private static let noLimit = 100

    private func goAway(_ last: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        self.lastStream = last
        if code != .noError { self.trouble = "the service ends the connection: \(code)" }
        guard self.state == .open else { return }
        if code != .noError { self.pool.report(self.trouble ?? "") }
        if !self.hasServed, !self.wasLeft { self.sessions.wasBarren() }
        self.wasLeft = true
        self.sessions.left(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is NIOHTTP2Errors.StreamClosed, is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.CreatedStreamAfterGoaway,
            is NIOHTTP2Errors.TrailersWithoutEndStream:
            // The stream's own trouble; its channel hears of it.
            return
        case is NIOHTTP2Errors.BadStreamStateTransition where self.state == .open:
            // Of a stream or of all: what runs may end in good order, nothing new is begun.
            self.wasLeft = true
            return self.sessions.left(self)
        default:
            break
        }
        // A connection that is broken is met by its requests; that the service is wrong shows nowhere else.
        let isProtocol = error is any NIOHTTP2Error
        let isTLS = TLSTrouble.isTLS(error) && !TLSTrouble.isUncleanEnd(error)
        self.trouble = isProtocol ? "the service does not speak HTTP/2 well: \(error)" : TLSTrouble.describe(error)
        if self.state == .open, !self.wasLeft, isProtocol || isTLS { self.pool.report(self.trouble ?? "") }
        self.breakOff()
    }
}
