import NIOCore
import NIOSSL
import NIOTLS
import PosternCore

/// One connection of a health check: sends the request when it may, and judges the head of the answer. The rest of the
/// answer is read and thrown away, so that the service can end the connection in good order.
final class HealthProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Nobody has chosen this connection yet. Legal exits: asked, ended.
        case waiting
        /// Somebody wants to know; there is no TLS yet. Legal exits: asked, ended.
        case chosen
        /// The request is out. Legal exit: ended.
        case asked
        /// The outcome is known.
        case ended
    }

    private var state = State.waiting
    private var isReady = false
    private let request: [UInt8]
    private let tls: UpstreamTLS?
    private var told: (HealthProbe.Outcome) -> Void = { _ in }
    private var context: ChannelHandlerContext?
    private var responses = ResponseIntake()
    private var scanner: HeadScanner?
    private var pending: ByteBuffer?
    private var thrownAway = 0

    private static let headLimits = HeadLimits(head: 64 * 1024, target: 8 * 1024, fields: 500)
    /// Bytes of a body that are waited for.
    private static let bodyLimit = 1 << 20

    init(_ request: [UInt8], tls: UpstreamTLS?) {
        self.request = request
        self.tls = tls
    }

    /// This is the connection that counts; `told` is called once with what comes of it.
    func begin(_ told: @escaping (HealthProbe.Outcome) -> Void) {
        self.told = told
        self.state = .chosen
        guard let context, context.channel.isActive else { return self.end(.failed("the connection was closed")) }
        if self.tls == nil { self.isReady = true }
        if self.isReady { self.ask(context) }
    }

    /// The check has taken as long as it may.
    func timeIsOver() {
        self.end(.failed("no answer in time"))
        self.context?.closeSocket()
    }

    private func ask(_ context: ChannelHandlerContext) {
        if let tls {
            guard tls.accepts(try? context.pipeline.syncOperations.nioSSL_peerCertificate()) else {
                self.end(.failed(TLSTrouble.describe(TLSTrouble.anotherName)))
                return context.closeSocket()
            }
        }
        self.state = .asked
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: self.request)), promise: nil)
    }

    private func end(_ outcome: HealthProbe.Outcome) {
        switch self.state {
        case .waiting, .ended: return
        case .chosen, .asked: break
        }
        self.state = .ended
        self.told(outcome)
    }

    // MARK: - Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted = event as? TLSUserEvent else { return }
        self.isReady = true
        if case .chosen = self.state { self.ask(context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end(.failed(TLSTrouble.describe(error)))
        context.closeSocket()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(.failed("the connection was closed without an answer"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = self.unwrapInboundIn(data)
        switch self.state {
        case .waiting, .chosen:
            self.end(.failed("the service spoke before it was asked"))
            context.closeSocket()
        case .asked:
            if var pending = self.pending.take() {
                pending.writeBuffer(&buffer)
                self.read(pending, context)
            } else {
                self.read(buffer, context)
            }
        case .ended:
            self.thrownAway += buffer.readableBytes
            if self.thrownAway > Self.bodyLimit { context.closeSocket() }
        }
    }

    /// Reads heads until the final one.
    private func read(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        var bytes = bytes
        while bytes.readableBytes > 0, case .asked = self.state {
            let outcome = self.responses.take(
                bytes.readableBytesSpan, resumed: self.scanner.take(), limits: Self.headLimits, toHead: false)
            switch outcome {
            case .incomplete(let scanner):
                self.scanner = scanner
                self.pending = bytes
                return
            case .head(let facts) where facts.isInterim && facts.status != 101:
                bytes.moveReaderIndex(forwardBy: facts.end)
            case .head(let facts):
                self.end(HealthRequest.isWell(status: facts.status) ? .well : .failed("status \(facts.status)"))
            case .problem:
                self.end(.failed("the answer is not well-formed HTTP"))
                context.closeSocket()
            }
        }
    }
}
