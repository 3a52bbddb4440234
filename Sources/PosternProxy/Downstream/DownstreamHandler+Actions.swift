import NIOCore
import PosternCore

// Carries out what the exchange machine says.
extension DownstreamHandler {
    func perform(_ action: Exchange.Action) {
        switch action {
        case .none: break
        case .acquire: self.acquire(fresh: false)
        case .send(let answerContinue): self.send(answerContinue: answerContinue)
        case .refuse(let code, let ending): self.answer(code, ending)
        case .finish(let ending, let reuse): self.finish(ending, reuseUpstream: reuse)
        case .retry: self.retry()
        case .tunnel: self.openTunnel()
        case .abort: self.abort()
        case .close:
            self.finishRecord()
            // Answers of this very turn may not be out yet.
            if self.flushNow(), self.wire == .plain { self.closeNow() } else { self.closeAfterWriting() }
        }
    }

    // MARK: - Upstream

    private func acquire(fresh: Bool) {
        guard let pool else { return }
        pool.acquire(for: self, fresh: fresh)
        guard self.exchange.state == .acquiring else { return }
        self.setDeadline(self.loop.now &+ pool.upstream.connectTimeout &+ 50_000_000)
    }

    /// The pool has a connection for this request.
    func upstreamReady(_ upstream: UpstreamHandler) {
        self.waiter = nil
        self.upstream = upstream
        upstream.begin(self)
        if let tunnel, upstream.codec != nil, !upstream.takes(tunnel.upgrade) {
            self.refusal = .noTunnelOverHTTP2
            self.step { $0.upstreamUnavailable(.notImplemented) }
            return self.processPending()
        }
        self.step { $0.upstreamReady(reused: upstream.hasServed) }
        self.processPending()
        self.resumeReading()
    }

    /// The pool has no place for this request, or could not open a connection.
    func upstreamUnavailable(_ code: RefusalCode) {
        self.waiter = nil
        self.step { $0.upstreamUnavailable(code) }
        self.processPending()
        self.resumeReading()
    }

    /// The service does not answer its health checks: it is spared the request, and the client the time.
    func upstreamUnhealthy() {
        self.refusal = .upstreamUnhealthy
        self.upstreamUnavailable(.upstreamUnavailable)
    }

    private func send(answerContinue: Bool) {
        guard let upstream, let head = self.heldHead.take() else { return }
        if answerContinue { self.relay { $0.append("HTTP/1.1 100 Continue\r\n\r\n") } }
        upstream.send(head, kept: self.exchange.mayRetry)
        let now = self.loop.now
        self.record.upstreamStarted = now
        self.setDeadline(
            now &+ (self.exchange.readsBody ? self.snapshot.timeouts.bodyIdle : self.responseTimeout))
    }

    private func retry() {
        self.heldHead = self.upstream?.sent
        self.loop.metrics.upstreamRetries &+= 1
        self.trace?.resends += 1
        self.dropUpstream()
        self.acquire(fresh: true)
    }

    /// Gives the upstream connection up: whatever it still sends has nowhere to go.
    func dropUpstream() {
        if let waiter {
            self.pool?.cancel(waiter)
            self.waiter = nil
        }
        guard let upstream else { return }
        self.upstream = nil
        upstream.discard()
    }

    // MARK: - Response

    /// A final response head stands in `buffer` and was read: the client gets its own.
    func relayHead(_ buffer: ByteBuffer, _ facts: ResponseIntake.Facts) {
        self.record.status = facts.status
        self.record.upstreamDuration = self.loop.now &- self.record.upstreamStarted
        let framing = DownstreamHead.framing(of: facts.framing, minorVersion: self.minorVersion)
        self.responseFraming = framing
        let close = self.note { $0.responseHead(endsWithConnection: framing == .untilClose) }
        let client = DownstreamHead.Client(minorVersion: self.minorVersion, close: close)
        self.relay {
            if self.snapshot.answersCrossOrigin {
                self.composeCrossOrigin(buffer.readableBytesSpan, client, framing, &$0)
            } else {
                self.loop.responses.compose(buffer.readableBytesSpan, client: client, framing: framing, into: &$0)
            }
        }
        self.responseProgressed()
    }

    /// An interim response (1xx) stands in `buffer` and was read. HTTP/1.0 knows none; 100 was answered by the proxy.
    func relayInterim(_ buffer: ByteBuffer, _ facts: ResponseIntake.Facts) {
        guard self.minorVersion == 1, facts.status != 100 else { return }
        let client = DownstreamHead.Client(minorVersion: 1, close: false)
        self.relay {
            self.loop.responses.compose(buffer.readableBytesSpan, client: client, framing: .plain, into: &$0)
        }
    }

    /// A 101 stands in `buffer` that accepts what was asked for: the client gets its own.
    func relaySwitch(_ buffer: ByteBuffer, _ upgrade: ProtocolSwitch) {
        self.relay { self.loop.responses.composeSwitch(buffer.readableBytesSpan, upgrade, into: &$0) }
    }

    /// The response has moved on: its next part may take as long again, whether or not the client still sends.
    func responseProgressed() {
        guard let upstream else { return }
        let limit = upstream.isEventStream ? DownstreamHandler.eventStreamIdle : self.snapshot.timeouts.bodyIdle
        self.setDeadline(self.loop.now &+ limit)
    }

    /// How long a stream of events, or of a gRPC call's messages, may be silent: an hour, in nanoseconds.
    private static let eventStreamIdle: Int64 = 3_600_000_000_000

    // MARK: - End of an exchange

    private func answer(_ code: RefusalCode, _ ending: Exchange.Ending) {
        self.dropUpstream()
        self.heldHead = nil
        var refusal = self.refusal ?? Refusal(code, Self.detail(of: code))
        if refusal.code != code { refusal = Refusal(code, Self.detail(of: code)) }
        self.refusal = nil
        self.recordRefusal(code)
        if self.texts.requestID.isEmpty {
            self.texts.requestID = self.loop.intake.makeRequestID()
        }
        let bytes = self.snapshot.answer.bytes(
            for: refusal, requestID: self.texts.requestID, toHead: self.toHead, close: ending != .nextRequest,
            crossOrigin: self.refusalLines, grpc: self.record.grpc)
        self.relay { $0.append(contentsOf: bytes) }
        self.finishRecord()
        self.end(ending)
    }

    private func finish(_ ending: Exchange.Ending, reuseUpstream: Bool) {
        if let upstream {
            self.goAtOnce(if: upstream.pool.isServingOne)
            self.sendBeforeTheRest()
            self.upstream = nil
            if reuseUpstream { upstream.release() } else { upstream.discard() }
        }
        self.heldHead = nil
        self.finishRecord()
        self.end(ending)
    }

    private func end(_ ending: Exchange.Ending) {
        switch ending {
        case .nextRequest:
            // A stream is over when the client has taken its response.
            let limit = self.stream == nil ? self.idleTime : self.snapshot.timeouts.bodyIdle
            self.setDeadline(self.loop.now &+ limit)
            self.processPending()
            self.resumeReading()
        case .linger:
            self.linger()
            self.resumeReading()
        case .close:
            self.closeAfterWriting()
        }
    }

    func closeAfterWriting(isWhole: Bool = true) {
        guard self.context != nil else { return }
        // Before there is TLS nothing was written, and nothing can be.
        guard self.wire != .handshaking else { return self.breakOff() }
        self.flushNow()
        self.setDeadline(self.loop.now &+ self.snapshot.timeouts.bodyIdle)
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        self.closeOutput(isWhole: isWhole) { bound.value.breakOff() }
    }

    /// Breaks the client's connection. Where its end is what ends the body, only a reset says that the body is not
    /// whole.
    private func abort() {
        self.dropUpstream()
        self.heldHead = nil
        self.finishRecord()
        // What came before the break, answers to earlier requests among it, still goes out.
        let isOut = self.flushNow()
        guard let context else { return }
        if self.responseFraming == .untilClose {
            SocketReset.arm(context.channel)
        } else if !isOut {
            return self.closeAfterWriting(isWhole: false)
        }
        self.breakOff()
    }

    /// Closes the connection whatever goes on: a response that is cut off does not look like a whole one.
    func closeAtOnce() {
        guard self.exchange.isBusy || self.exchange.readsBody, let context else { return self.closeNow() }
        if self.responseFraming == .untilClose { SocketReset.arm(context.channel) }
        self.breakOff()
    }

    private static func detail(of code: RefusalCode) -> String {
        switch code {
        case .requestTimeout: "The request did not arrive in time."
        case .upstreamTimeout: "The service did not answer in time."
        case .upstreamUnavailable: "The service could not be reached, or closed the connection without an answer."
        case .upstreamInvalidResponse: "The service answered with something that is not well-formed HTTP."
        case .overloaded: "Too many requests wait for the service; try again."
        case .draining: "This instance is shutting down; try again."
        case .issuerUnavailable: Refusal.keysUnavailable.detail
        case .contentTooLarge: Refusal.bodyTooLarge.detail
        case .badRequest: "The request's body is not well-formed."
        default: "The request cannot be served."
        }
    }
}

extension Refusal {
    static let upstreamUnhealthy = Refusal(.upstreamUnavailable, "The service does not answer its health checks.")
}
