import NIOCore
import NIOHTTP2
import PosternCore

/// Sets up a client's connection of HTTP/2: frames, field compression, flow control and the states of streams are
/// swift-nio-http2's; what a request is, is decided here and behind the gate.
enum DownstreamHTTP2 {
    /// Adds the handlers of a connection behind `handler`, whose place they take.
    ///
    /// - Parameter wire: what stands between them and the socket.
    /// - Returns: the first of them.
    static func begin(
        in channel: any Channel, after handler: DownstreamHandler, loop: LoopContext, client: ClientFacts,
        wire: LoopConnection.Wire
    ) throws -> DownstreamSessionHandler {
        let session = DownstreamSessionHandler(loop: loop, wire: wire)
        let bound = NIOLoopBound((loop, client, session), eventLoop: loop.eventLoop)
        let configuration = Self.connection(loop.snapshot.headLimits)
        let frames = NIOHTTP2Handler(
            mode: .server, eventLoop: loop.eventLoop,
            connectionConfiguration: configuration,
            streamConfiguration: Self.stream, streamDelegate: session.delegate
        ) { stream in
            let (loop, client, session) = bound.value
            do {
                if session.hasRoom {
                    let codec = DownstreamStreamHandler(loop: loop, session: session)
                    try stream.pipeline.syncOperations.addHandlers(
                        codec, DownstreamHandler(loop: loop, client: client, stream: codec))
                } else {
                    try stream.pipeline.syncOperations.addHandler(RefusedStreamHandler(session))
                }
            } catch {
                return stream.eventLoop.makeFailedFuture(error)
            }
            // The loop has one for all.
            return loop.eventLoop.makeSucceededVoidFuture()
        }
        // One after the other: the library writes as soon as it is there, and the session is to see it.
        try channel.pipeline.syncOperations.addHandler(session, position: .after(handler))
        try channel.pipeline.syncOperations.addHandlers(
            [WholeFramesHandler(fromClient: true), frames, DownstreamRootHandler(session)],
            position: .after(session))
        let settings = HTTP2Frame(streamID: .rootStream, payload: .settings(.settings(configuration.initialSettings)))
        channel.pipeline.syncOperations.writeAndFlush(NIOAny(settings), promise: nil)
        return session
    }

    /// Streams that a client may have open at a time.
    static let maximumStreams = 100

    /// What the library believes that it may: it would break the connection over one stream more, where only that stream is to
    /// end (RFC 9113 section 5.1.2). A client that has not read its limit yet loses nothing that way.
    private static let toleratedStreams = 2 * Self.maximumStreams

    /// What holds for a connection. Header blocks and the length of content are not looked at by the library, but by
    /// `DownstreamRequestHead` and the codec, which are as strict and say what is wrong.
    private static func connection(_ limits: HeadLimits) -> NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.headerBlockValidation = .disabled
        configuration.contentLengthValidation = .disabled
        // A field counts for 32 bytes more than it has (RFC 9113 section 6.5.2). What is a little over the limit is read,
        // and answered with 431; what is far over it ends the connection.
        let listSize = 2 * (limits.head + 32 * limits.fields)
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.toleratedStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: listSize),
            HTTP2Setting(parameter: .enableConnectProtocol, value: 1),
        ]
        configuration.maximumSequentialContinuationFrames = max(100, listSize / 16384 + 2)
        configuration.maximumSequentialEmptyDataFrames = 100
        configuration.maximumBufferedControlFrames = 1000
        // Frames for streams that were reset are on their way for as long as a round trip takes.
        configuration.maximumRecentlyResetStreams = 2 * Self.maximumStreams
        // Counted over the whole life of a connection, which may be months: what counts is the rate.
        configuration.maximumConnectionGlitches = .max
        configuration.controlFrameRateLimit.maximumCount = 200
        configuration.controlFrameRateLimit.windowLength = .seconds(1)
        return configuration
    }

    /// What holds for a stream. A rapid reset (CVE-2023-44487) costs the client its connection; a gateway that cancels what
    /// its users have lost interest in stays far below.
    private static var stream: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.outboundBufferSizeHighWatermark = 32 * 1024
        configuration.outboundBufferSizeLowWatermark = 16 * 1024
        configuration.streamResetFrameRateLimit.maximumCount = 200
        configuration.streamResetFrameRateLimit.windowLength = .seconds(2)
        configuration.streamErrorRateLimit.maximumCount = 200
        configuration.streamErrorRateLimit.windowLength = .seconds(2)
        return configuration
    }
}
