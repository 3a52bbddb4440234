import NIOCore
import NIOSSL
import NIOTLS

/// Waits behind TLS for a handshake to end: once, and then it leaves the channel.
final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private enum State {
        /// Nobody has asked yet. Legal exits: awaited, ended.
        case begun
        /// Somebody waits. Legal exit: told.
        case awaited((Result<Void, any Error>) -> Void, limit: Scheduled<Void>)
        /// The handshake was over before anybody asked. Legal exit: told.
        case ended(Result<Void, any Error>)
        /// There is nothing left to say.
        case told
    }

    private var state = State.begun
    /// What ALPN has agreed on, once the handshake is over.
    private(set) var negotiated: String?

    /// Calls `then` once: when there is TLS, when there never will be, or at the deadline, which ends the connection.
    func await(_ channel: any Channel, until deadline: NIODeadline, _ then: @escaping (Result<Void, any Error>) -> Void)
    {
        switch self.state {
        case .begun:
            let limit = channel.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
                self.end(.failure(ChannelError.connectTimeout(.zero)))
            }
            self.state = .awaited(then, limit: limit)
        case .ended(let result):
            self.state = .told
            then(result)
        case .awaited, .told:
            preconditionFailure("a handshake is awaited once")
        }
    }

    private func end(_ result: Result<Void, any Error>) {
        switch self.state {
        case .begun:
            self.state = .ended(result)
        case .awaited(let then, let limit):
            self.state = .told
            limit.cancel()
            then(result)
        case .ended, .told:
            break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated) = event as? TLSUserEvent {
            self.negotiated = negotiated
            self.end(.success(()))
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let wasEarly = if case .told = self.state { false } else { true }
        self.end(.failure(error))
        if wasEarly { context.closeSocket() } else { context.fireErrorCaught(error) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(.failure(ChannelError.eof))
        context.fireChannelInactive()
    }
}
