import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOTLS
import PosternCore

/// Stands before the handler of a health check where HTTP/2 is spoken to the service, or may be: makes frames of its
/// request, on the one stream of the connection, and HTTP/1.1 bytes of the answer.
final class HealthProbeFrames: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame

    private let spoken: Configuration.ApplicationProtocol
    private let overTLS: Bool
    private var speaksHTTP2 = false
    private var response = UpstreamResponse(toHead: false)
    private static let stream: HTTP2StreamID = 1

    init(_ spoken: Configuration.ApplicationProtocol, overTLS: Bool) {
        self.spoken = spoken
        self.overTLS = overTLS
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated) = event as? TLSUserEvent {
            if negotiated == "h2" {
                self.speakHTTP2(context)
            } else if self.spoken == .h2 {
                return context.fireErrorCaught(UpstreamSession.NotOffered())
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func speakHTTP2(_ context: ChannelHandlerContext) {
        do {
            let handler = NIOHTTP2Handler(
                mode: .client, connectionConfiguration: UpstreamSession.connectionConfiguration)
            try context.pipeline.syncOperations.addHandler(handler, position: .before(self))
            self.speaksHTTP2 = true
        } catch {
            context.fireErrorCaught(error)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // The library begins when the channel is there, which is known by now.
        if !self.overTLS, !self.speaksHTTP2 { self.speakHTTP2(context) }
        guard self.speaksHTTP2 else { return context.write(data, promise: promise) }
        var request = UpstreamRequest(overTLS: self.overTLS)
        let bytes = self.unwrapOutboundIn(data)
        guard case .head = request.next(bytes.readableBytesSpan) else {
            preconditionFailure("a health check's own request is one head")
        }
        let headers = HTTP2Frame.FramePayload.Headers(headers: HPACKHeaders(request.fields), endStream: true)
        let frame = HTTP2Frame(streamID: Self.stream, payload: .headers(headers))
        context.write(self.wrapOutboundOut(frame), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.speaksHTTP2 else { return context.fireChannelRead(data) }
        do throws(UpstreamResponseProblem) {
            switch self.unwrapInboundIn(data).payload {
            case .headers(let head): try self.read(head, context)
            case .data(let content) where content.endStream: context.close(promise: nil)
            case .rstStream, .goAway: context.close(promise: nil)
            default: break
            }
        } catch {
            context.fireErrorCaught(error)
        }
    }

    private func read(
        _ head: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext
    ) throws(UpstreamResponseProblem) {
        var bytes: [UInt8] = []
        try self.response.beginFields()
        for (name, value, _) in head.headers { try self.response.add(name, value) }
        try self.response.endFields(endStream: head.endStream, into: &bytes)
        if !bytes.isEmpty { context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: bytes))) }
        if head.endStream { context.close(promise: nil) }
    }
}
