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
        case .abort: self.abort()
        case .close:
            self.finishRecord()
            self.closeNow()
        }
    }

    // MARK: - Upstream

    private func acquire(fresh: Bool) {
        guard let pool else { return }
        // Whoever has to wait keeps the head: the loop's memory serves other requests meanwhile.
        if self.heldHead == nil, pool.machine.idleCount == 0 { self.heldHead = ByteBuffer(bytes: self.loop.output) }
        pool.acquire(for: self, fresh: fresh)
        guard self.exchange.state == .acquiring else { return }
        if self.heldHead == nil { self.heldHead = ByteBuffer(bytes: self.loop.output) }
        self.setDeadline(self.loop.now &+ pool.upstream.connectTimeout &+ 50_000_000)
    }

    /// The pool has a connection for this request.
    func upstreamReady(_ upstream: UpstreamHandler) {
        self.waiter = nil
        self.upstream = upstream
        upstream.begin(self)
        self.perform(self.exchange.upstreamReady(reused: upstream.hasServed))
        self.processPending()
        self.resumeReading()
    }

    /// The pool has no place for this request, or could not open a connection.
    func upstreamUnavailable(_ code: RefusalCode) {
        self.waiter = nil
        self.perform(self.exchange.upstreamUnavailable(code))
        self.processPending()
        self.resumeReading()
    }

    private func send(answerContinue: Bool) {
        guard let upstream else { return }
        if answerContinue { self.write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")) }
        if let held = self.heldHead {
            upstream.send(held)
            self.heldHead = nil
        } else {
            upstream.send(self.loop.output)
        }
        let now = self.loop.now
        self.record.upstreamStarted = now
        self.setDeadline(
            now &+ (self.exchange.readsBody ? self.snapshot.timeouts.bodyIdle : self.responseTimeout))
    }

    var responseTimeout: Int64 { self.rules?.responseTimeout ?? self.snapshot.timeouts.response }

    private func retry() {
        self.heldHead = self.upstream?.sent
        self.loop.metrics.upstreamRetries &+= 1
        self.dropUpstream()
        self.acquire(fresh: true)
    }

    /// Gives the upstream connection up: whatever it still sends has nowhere to go.
    private func dropUpstream() {
        if let waiter {
            self.pool?.cancel(waiter)
            self.waiter = nil
        }
        guard let upstream else { return }
        self.upstream = nil
        upstream.discard()
    }

    // MARK: - Response

    /// A final response head stands in `buffer` and was read: composes the client's into the loop's output.
    func relayHead(_ buffer: ByteBuffer) {
        let loop = self.loop
        self.record.status = loop.response.status
        self.record.upstreamDuration = loop.now &- self.record.upstreamStarted
        self.responseFraming = DownstreamHead.framing(of: loop.response, minorVersion: self.minorVersion)
        let close = self.exchange.responseHead(endsWithConnection: self.responseFraming == .untilClose)
        loop.output.removeAll(keepingCapacity: true)
        DownstreamHead.compose(
            buffer.readableBytesSpan, loop.response, client: .init(minorVersion: self.minorVersion, close: close),
            framing: self.responseFraming, into: &loop.output)
        self.responseProgressed()
    }

    /// An interim response (1xx) stands in `buffer` and was read. HTTP/1.0 knows none; 100 was answered by the proxy.
    func relayInterim(_ buffer: ByteBuffer) {
        let loop = self.loop
        guard self.minorVersion == 1, loop.response.status != 100 else { return }
        loop.output.removeAll(keepingCapacity: true)
        DownstreamHead.compose(
            buffer.readableBytesSpan, loop.response, client: .init(minorVersion: 1, close: false), framing: .plain,
            into: &loop.output)
        self.write(ByteBuffer(bytes: loop.output))
    }

    /// The response has moved on: its next part may take as long again, whether or not the client still sends.
    func responseProgressed() {
        guard let upstream else { return }
        let limit = upstream.isEventStream ? DownstreamHandler.eventStreamIdle : self.snapshot.timeouts.bodyIdle
        self.setDeadline(self.loop.now &+ limit)
    }

    /// How long a stream of events may be silent: an hour, in nanoseconds.
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
            self.loop.identifiers.assignNew()
            self.texts.requestID.append(contentsOf: self.loop.identifiers.requestID)
        }
        let bytes = self.snapshot.answer.bytes(
            for: refusal, requestID: self.texts.requestID, toHead: self.toHead, close: ending != .nextRequest)
        self.write(ByteBuffer(bytes: bytes))
        self.finishRecord()
        self.end(ending)
    }

    private func finish(_ ending: Exchange.Ending, reuseUpstream: Bool) {
        if let upstream {
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
            self.setDeadline(self.loop.now &+ self.snapshot.timeouts.idle)
            self.processPending()
            self.resumeReading()
        case .linger:
            self.linger()
            self.resumeReading()
        case .close:
            self.closeAfterWriting()
        }
    }

    func closeAfterWriting() {
        guard let context else { return }
        self.flushNow()
        self.setDeadline(self.loop.now &+ self.snapshot.timeouts.bodyIdle)
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        context.close(mode: .output).whenComplete { _ in bound.value.closeNow() }
    }

    /// Breaks the client's connection. Where its end is what ends the body, only a reset says that the body is not
    /// whole.
    private func abort() {
        self.dropUpstream()
        self.heldHead = nil
        self.finishRecord()
        guard let context else { return }
        if self.responseFraming == .untilClose { SocketReset.arm(context.channel) }
        context.close(promise: nil)
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
