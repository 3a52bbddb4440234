import NIOCore
import NIOHTTP2

/// A stream more than the client may have open: it ends with REFUSED_STREAM, which says that the request was not looked at and
/// can be sent again (RFC 9113 section 8.7).
final class RefusedStreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let session: DownstreamSessionHandler
    private var isRefused = false

    init(_ session: DownstreamSessionHandler) {
        self.session = session
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isRefused else { return }
        self.isRefused = true
        context.writeAndFlush(self.wrapOutboundOut(.rstStream(.refusedStream)), promise: nil)
        self.session.refused()
    }
}
