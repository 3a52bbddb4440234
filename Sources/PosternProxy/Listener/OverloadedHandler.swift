import NIOCore
import NIOTLS
import PosternCore

/// Tells a client that there are too many connections, then closes. On a cleartext connection the first bytes say in which
/// language: those of HTTP/2 begin with a preface (RFC 9113 section 3.4). A client that sends nothing is told in HTTP/1.1.
final class OverloadedHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: Answer
    private let overTLS: Bool
    /// The first bytes of a cleartext connection.
    private var first: [UInt8] = []
    private var hasTold = false
    private static let preface = Array("PRI".utf8)

    init(answer: Answer, overTLS: Bool = false) {
        self.answer = answer
        self.overTLS = overTLS
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let bound = NIOLoopBound((self, context), eventLoop: channel.eventLoop)
        channel.eventLoop.scheduleTask(in: .seconds(1)) {
            let (handler, context) = bound.value
            if channel.isActive, !handler.overTLS { handler.tell(context) }
            channel.pipeline.syncOperations.closeSocket()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.overTLS, !self.hasTold else { return }
        self.first += self.unwrapInboundIn(data).readableBytesView.prefix(Self.preface.count - self.first.count)
        if self.first == Self.preface {
            self.tellInFrames(context)
        } else if !Self.preface.starts(with: self.first) {
            self.tell(context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            if !self.overTLS { self.tell(context) }
            context.closeSocket()
        } else if case .handshakeCompleted(let negotiated) = event as? TLSUserEvent {
            if negotiated == "h2" { self.tellInFrames(context) } else { self.tell(context) }
        }
    }

    /// Where HTTP/2 was agreed on: settings, which come first, and a GOAWAY that takes back everything (RFC 9113
    /// section 6.8): ENHANCE_YOUR_CALM, and no stream was looked at.
    private func tellInFrames(_ context: ChannelHandlerContext) {
        guard !self.hasTold else { return }
        self.hasTold = true
        let frames = ByteBuffer(bytes: [
            0, 0, 0, 4, 0, 0, 0, 0, 0,
            0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xB,
        ])
        context.writeAndFlush(self.wrapOutboundOut(frames), promise: nil)
        context.close(mode: .output, promise: nil)
    }

    private func tell(_ context: ChannelHandlerContext) {
        guard !self.hasTold else { return }
        self.hasTold = true
        var identifiers = Identifiers(random: IdentifierSource(seed: .random(in: 0 ... .max), .random(in: 0 ... .max)))
        identifiers.assignNew()
        let refusal = Refusal(.overloaded, "Too many connections are open; try again.")
        let bytes = self.answer.bytes(
            for: refusal, requestID: identifiers.requestID, toHead: false, close: true)
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        context.close(mode: .output, promise: nil)
    }
}
