import NIOCore
import NIOTLS
import PosternCore

/// Tells a client that there are too many connections, then closes.
final class OverloadedHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: Answer
    private let overTLS: Bool

    init(answer: Answer, overTLS: Bool = false) {
        self.answer = answer
        self.overTLS = overTLS
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.pipeline.syncOperations.closeSocket() }
        if !self.overTLS { self.tell(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            context.closeSocket()
        } else if case .handshakeCompleted = event as? TLSUserEvent {
            self.tell(context)
        }
    }

    private func tell(_ context: ChannelHandlerContext) {
        var identifiers = Identifiers(random: IdentifierSource(seed: .random(in: 0 ... .max), .random(in: 0 ... .max)))
        identifiers.assignNew()
        let refusal = Refusal(.overloaded, "Too many connections are open; try again.")
        let bytes = self.answer.bytes(
            for: refusal, requestID: identifiers.requestID, toHead: false, close: true)
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        context.close(mode: .output, promise: nil)
    }
}
