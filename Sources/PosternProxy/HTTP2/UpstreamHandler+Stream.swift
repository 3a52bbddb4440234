import NIOCore
import PosternCore

// A connection to a service that is a stream of HTTP/2: it serves one request, and has more words for its end.
extension UpstreamHandler {
    /// Puts the handlers of a connection behind what is in the channel.
    func install(in channel: any Channel) throws {
        if let codec {
            try channel.pipeline.syncOperations.addHandlers([codec, self])
        } else {
            try channel.pipeline.syncOperations.addHandler(self)
        }
    }

    /// Whether a request for another protocol can be sent: over HTTP/2 only one for a WebSocket, and only if the service
    /// says that it takes them there (RFC 8441 section 3).
    func takes(_ upgrade: ProtocolSwitch) -> Bool {
        guard let codec else { return true }
        return upgrade.kind == .webSocket && codec.session.takesWebSockets
    }

    /// The stream is in trouble; its end follows, unless the trouble is what it carries.
    func streamFailed(_ error: any Error) {
        guard let trouble = error as? UpstreamStreamTrouble else { return self.closeNow() }
        self.trouble = trouble
        guard let downstream = self.downstream else { return self.closeNow() }
        switch trouble {
        case .refused, .reset:
            break
        case .invalid, .outOfOrder:
            downstream.step { $0.responseInvalid() }
        case .unsendable(let problem):
            downstream.refusal = problem.refusal
            downstream.step { $0.upstreamUnavailable(problem.refusal.code) }
        }
    }

    /// The stream is over.
    func streamEnded(_ codec: UpstreamStreamCodec) {
        // What was written in this turn belongs to the request that may have to be sent again.
        self.flushNow()
        let request = codec.takeRequest()
        self.closed()
        self.pool.closed(self)
        guard let downstream = self.downstream else { return }
        if self.response == .tunnel {
            downstream.stepTunnel { $0.disconnected(.upstream, inGoodOrder: false) }
        } else if case .refused = self.trouble {
            self.sent = request
            downstream.step { $0.upstreamRefused(isKept: request != nil) }
        } else {
            self.sent = request
            // A stream that the service gave up was looked at.
            let untouched = self.untouched && self.trouble == nil && request != nil
            downstream.step { $0.upstreamClosed(untouched: untouched) }
        }
        self.forgetDownstream()
    }

    /// The exchange is over in good order. The end of the stream follows: at once as a rule, but a service may leave the
    /// rest of a request unread for as long as it likes.
    func leaveStream(_ codec: UpstreamStreamCodec) {
        codec.session.served()
        self.pool.discarded(self)
        self.setDeadline(self.loop.now &+ self.pool.upstream.idleTimeout)
    }
}

extension UpstreamRequest.Problem {
    /// What a client is told whose request cannot be sent over HTTP/2.
    fileprivate var refusal: Refusal {
        switch self {
        case .notUTF8:
            Refusal(.badRequest, "A header field is not UTF-8: it cannot be sent to the service over HTTP/2.")
        case .protocolSwitch:
            Refusal(.notImplemented, "The service speaks HTTP/2, which has no such change of protocol.")
        case .malformed:
            Refusal(.badRequest, "The request cannot be sent to the service over HTTP/2.")
        }
    }
}

extension Refusal {
    /// RFC 8441 is the service's choice, and knows of nothing but WebSockets.
    static let noTunnelOverHTTP2 = Refusal(
        .notImplemented, "The service speaks HTTP/2 and does not take such a change of protocol there (RFC 8441).")
}
