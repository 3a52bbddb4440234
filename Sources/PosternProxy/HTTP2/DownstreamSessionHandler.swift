import NIOCore
import NIOHTTP2
import PosternCore

/// A client's connection of HTTP/2, before its frames are read: it has the connection's deadline, ends it, and gathers what
/// all streams write in one turn of the loop into one write.
final class DownstreamSessionHandler: LoopConnection, ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = ByteBuffer

    private var session: DownstreamSession
    /// The last stream that the client opened.
    private var lastStream = HTTP2StreamID.rootStream
    /// Whether the client was told which stream is the last one.
    private var namedLast = false
    /// Whether the client was told that it has broken the protocol.
    private var isBroken = false
    /// What came of the client's greeting; nil once it is through.
    private var greeting: ByteBuffer? = ByteBuffer()
    /// Whether the library's first frame, its settings, is still to come.
    private var holdsSettings = true
    private var cutter = FrameCutter()
    /// Fields of heads of responses that the library does not know of.
    private var rawFields = RawFields()
    /// Frames with content that were written.
    private var contentFrames = 0
    private static let settings: UInt8 = 4
    private static let goAway: UInt8 = 7
    private static let streamLimit = UInt32(DownstreamHTTP2.maximumStreams)

    override init(loop: LoopContext, wire: Wire) {
        self.session = DownstreamSession(limits: Self.limits(loop), now: loop.now)
        super.init(loop: loop, wire: wire)
    }

    private static func limits(_ loop: LoopContext) -> DownstreamSession.Limits {
        DownstreamSession.Limits(head: loop.snapshot.timeouts.head, idle: loop.snapshot.timeouts.idle)
    }

    // MARK: - Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.attach(context)
        self.loop.add(self)
        if context.channel.isActive { self.opened(context) }
        self.setDeadline(self.session.deadline)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.detach()
        self.loop.remove(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.closed()
        context.fireChannelInactive()
        // A connection that ends inside a read has no end of that read: the library would keep its streams for ever.
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !TLSTrouble.isUncleanEnd(error) { self.breakOff() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A client that sends no more cannot go on with its streams: it has given up.
        guard case .some(.inputClosed) = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        self.flushNow()
        self.closeNow()
    }

    // MARK: - Bytes

    /// Takes what was read of the connection before it was this handler's; the end of that read follows.
    func takeOver(_ bytes: ByteBuffer) {
        guard let context else { return }
        self.channelRead(context: context, data: NIOAny(bytes))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.session.state != .closed else { return }
        let buffer = self.unwrapInboundIn(data)
        let before = self.session.deadline
        self.session.limits = Self.limits(self.loop)
        self.session.received(buffer.readableBytesSpan, now: self.loop.now)
        if self.session.deadline != before { self.setDeadline(self.session.deadline) }
        if self.session.opensTooManyWindows(contentFrames: self.contentFrames) {
            self.step { $0.windowsOpened(now: $1) }
        }
        if self.greeting == nil { context.fireChannelRead(data) } else { self.greet(buffer, context) }
    }

    /// Nothing more is read of a connection that has ended: who floods it is held up by what he has sent, where taking all of it
    /// to throw it away would cost others their time. A client that closes is heard nevertheless: the system says so.
    func read(context: ChannelHandlerContext) {
        if self.session.state != .closed { context.read() }
    }

    /// The library takes its settings for valid when the client has answered them, which the first requests do not wait for:
    /// until then it would break the connection over a head of 16 KiB, whatever `limits.head` says. So it is answered here,
    /// behind the client's own settings, and its first settings go nowhere: `DownstreamHTTP2` has it send them again.
    private func greet(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard var greeting else { return }
        self.greeting = nil
        greeting.writeImmutableBuffer(bytes)
        switch DownstreamGreeting.find(greeting.readableBytesSpan) {
        case .incomplete:
            self.greeting = greeting
        case .malformed:
            // The library says so.
            context.fireChannelRead(NIOAny(greeting))
        case .complete(let end):
            guard let first = greeting.readSlice(length: end) else { return }
            context.fireChannelRead(NIOAny(first))
            context.fireChannelRead(NIOAny(ByteBuffer(bytes: [0, 0, 0, 4, 1, 0, 0, 0, 0])))
            if greeting.readableBytes > 0 { context.fireChannelRead(NIOAny(greeting)) }
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .byteBuffer(let buffer) = self.unwrapOutboundIn(data) else {
            preconditionFailure("frames are buffers")
        }
        if !self.cutter.contentFollows {
            switch self.rawFields.take(for: buffer.readableBytesSpan) {
            case .other: break
            case .whole(let frame): return self.writeFields(frame, promise)
            case .lost:
                promise?.fail(ChannelError.ioOnClosedChannel)
                return self.breakOff()
            }
        }
        guard !self.holdsSettings else {
            self.holdsSettings = false
            promise?.succeed(())
            return
        }
        switch self.cutter.next(buffer) {
        case .held:
            break
        case .cut(let large, let payload):
            self.write(large, payload, promise)
        case .frame(let type):
            if type == Self.goAway { self.look(at: buffer.readableBytesSpan) }
            self.writeWhole(type == Self.settings ? Self.announced(buffer) : buffer, promise)
        case .content:
            self.contentFrames &+= 1
            self.writeWhole(buffer, promise)
        }
        if !self.isWritable { self.flushNow() }
    }

    /// Keeps encoded fields for a HEADERS frame. Returns what the frame is to have as its priority.
    func keep(_ fields: [UInt8], of stream: DownstreamStreamHandler) -> HTTP2Frame.StreamPriorityData {
        self.rawFields.add(fields, of: stream)
    }

    /// A stream's handler has gone.
    func forgetFields(of stream: DownstreamStreamHandler) {
        self.rawFields.remove(of: stream)
    }

    /// The library's settings allow more streams than the client is to know of.
    private static func announced(_ settings: ByteBuffer) -> ByteBuffer {
        var bytes = Array(buffer: settings)
        SettingsFrames.announce(streams: Self.streamLimit, in: &bytes)
        return ByteBuffer(bytes: bytes)
    }

    /// Finds out whether a GOAWAY is one with an error: the library has nothing else to tell an error of the connection from
    /// one of a stream.
    private func look(at frame: RawSpan) {
        guard frame.byteCount >= 17 else { return }
        if (13..<17).contains(where: { frame.byte($0) != 0 }) { self.isBroken = true }
    }

    /// What was written goes out when the turn ends.
    func flush(context: ChannelHandlerContext) {}

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.noteDrained() }
        context.fireChannelWritabilityChanged()
    }

    // MARK: - Events of the machine

    /// The client's settings came.
    func greeted() {
        self.step { $0.greeted(now: $1) }
    }

    /// The client has answered a PING.
    func heard() {
        self.step { $0.heard(now: $1) }
    }

    /// The library has found an error; after one of the connection there is nothing more to be read on it. A frame that it
    /// could not write is one, too: the client's table of fields would no longer be ours.
    func errorFound(_ error: any Error) {
        let isBroken = self.isBroken || error is NIOHTTP2Errors.UnableToSerializeFrame
        guard isBroken, self.session.state != .closed else { return }
        self.namedLast = true
        self.step { $0.broken(now: $1) }
    }

    /// A stream was reset because its request was malformed.
    func malformed() {
        self.step { $0.malformed(now: $1) }
    }

    /// Whether the client may open another stream.
    var hasRoom: Bool { self.session.streams < DownstreamHTTP2.maximumStreams }

    /// A stream was reset because it was one too many.
    func refused() {
        self.step { $0.refused(now: $1) }
    }

    fileprivate func streamOpened(_ id: HTTP2StreamID) {
        self.lastStream = max(self.lastStream, id)
        self.session.streamOpened()
        self.setDeadline(self.session.deadline)
    }

    fileprivate func streamClosed() {
        self.step { $0.streamClosed(now: $1) }
    }

    override func deadlinePassed(now: Int64) {
        self.step { $0.deadlinePassed(now: $1) }
    }

    /// The process is to end.
    func drain() {
        self.step { $0.drain(now: $1) }
    }

    /// The process ends now.
    func end() {
        self.nameLast()
        self.flushNow()
        self.closeNow()
    }

    private func step(_ event: (inout DownstreamSession, Int64) -> DownstreamSession.Action) {
        let action = event(&self.session, self.loop.now)
        self.setDeadline(self.session.deadline)
        switch action {
        case .none: break
        case .announce: self.announce()
        case .finish: self.nameLast()
        case .finishAndClose: self.finish()
        case .calmDown: self.calmDown()
        case .cut:
            self.flushNow()
            self.closeNow()
        }
    }

    // MARK: - The end

    /// A GOAWAY and a PING past the library, which would serve no stream after a GOAWAY: the client may have opened some
    /// before it hears.
    private func announce() {
        self.append { output in
            output.append("\0\0\u{8}\u{7}\0\0\0\0\0")
            output.append(contentsOf: [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
            output.append("\0\0\u{8}\u{6}\0\0\0\0\0goodbye!")
        }
    }

    private func nameLast(_ code: HTTP2ErrorCode = .noError) {
        guard !self.namedLast, let context else { return }
        self.namedLast = true
        let frame = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: self.lastStream, errorCode: code, opaqueData: nil)
        )
        context.pipeline.syncOperations.writeAndFlush(NIOAny(frame), promise: nil)
    }

    /// After what is being read: the frames that follow in it are not looked at any more, but the library is among them.
    private func calmDown() {
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        self.loop.eventLoop.execute { bound.value.finish(.enhanceYourCalm) }
    }

    /// Ends what is sent, and waits until the client has closed, too: a close with bytes of the client's unread would make its
    /// system throw away what it has not read.
    private func finish(_ code: HTTP2ErrorCode = .noError) {
        self.nameLast(code)
        self.flushNow()
        self.closeOutput {}
    }

    /// Who hears of streams.
    var delegate: any NIOHTTP2StreamDelegate {
        Delegate(self)
    }

    /// A class, because the library copies it with every event of a stream.
    private final class Delegate: NIOHTTP2StreamDelegate {
        private let session: NIOLoopBound<DownstreamSessionHandler>

        init(_ session: DownstreamSessionHandler) {
            self.session = NIOLoopBound(session, eventLoop: session.loop.eventLoop)
        }

        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { self.session.value.streamOpened(id) }
        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { self.session.value.streamClosed() }
    }
}

/// What of a client's connection of HTTP/2 is for no stream: the frames of the connection itself, after the library has done
/// what they ask for.
final class DownstreamRootHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    private let session: DownstreamSessionHandler

    init(_ session: DownstreamSessionHandler) {
        self.session = session
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data).payload {
        case .settings(.settings): self.session.greeted()
        case .ping(_, ack: true): self.session.heard()
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.session.errorFound(error)
    }
}
