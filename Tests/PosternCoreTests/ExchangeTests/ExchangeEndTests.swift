import PosternCore
import Testing

/// Every state that an exchange can be in.
private let situations = [
    Situation("idle", Exchange()), Situation("reading a head", .head()), Situation("verifying", .verifying()),
    Situation("verifying, body to come", .verifying(hasBody: true)), Situation("acquiring", .acquiring()),
    Situation("acquiring, body to come", .acquiring(hasBody: true)), Situation("awaiting", .awaiting()),
    Situation("awaiting, body to come", .awaiting(hasBody: true)), Situation("streaming", .streaming()),
    Situation("streaming, body to come", .streaming(hasBody: true)), Situation("lingering", .lingering()),
    Situation("closed", .ended()),
]

@Suite struct ExchangeEndTests {
    // MARK: - Answers of the proxy's own

    @Test("an answer of the proxy's own ends the exchange as the client wants it", arguments: [true, false])
    func answered(keepAlive: Bool) {
        var exchange = Exchange.head(keepAlive: keepAlive)
        #expect(exchange.closesAfterAnswer == !keepAlive)
        #expect(exchange.answered() == .finish(keepAlive ? .nextRequest : .close, reuseUpstream: false))
        #expect(exchange.state == (keepAlive ? .idle : .closed))
    }

    @Test("while the process ends, an answer of the proxy's own is the connection's last")
    func answeredWhileDraining() {
        var exchange = Exchange.head()
        exchange.drain()
        #expect(exchange.closesAfterAnswer)
        #expect(exchange.answered() == .finish(.close, reuseUpstream: false))
    }

    @Test(
        "when the process ends, a request that the service was not given is answered",
        arguments: zip(situations, [false, false, true, true, true, true, false, false, false, false, false, false]))
    func processEnds(_ situation: Situation, _ answered: Bool) {
        var exchange = situation.exchange
        let before = exchange.state
        #expect(exchange.ended() == (answered ? .refuse(.draining, .linger) : .none))
        #expect(exchange.state == (answered ? .lingering : before))
    }

    // MARK: - The client

    @Test(
        "what the end of the client's input does in each state",
        arguments: zip(
            situations,
            [
                .close, .close, .abort, .abort, .abort, .abort, .abort, .abort, .abort, .abort, .close, .none,
            ] as [Exchange.Action]))
    func inputClosed(_ situation: Situation, _ action: Exchange.Action) {
        var exchange = situation.exchange
        #expect(exchange.inputClosed() == action)
        if action != .none { #expect(exchange.state == .closed) }
    }

    @Test(
        "a client that is gone gives up what was done for it, in each state",
        arguments: zip(
            situations,
            [
                .none, .none, .abort, .abort, .abort, .abort, .abort, .abort, .abort, .abort, .none, .none,
            ] as [Exchange.Action]))
    func disconnected(_ situation: Situation, _ action: Exchange.Action) {
        var exchange = situation.exchange
        #expect(exchange.disconnected() == action)
        #expect(exchange.state == .closed)
        #expect(exchange.disconnected() == .none, "a second time there is nothing left")
    }

    // MARK: - Deadlines

    @Test(
        "what the deadline of each state does",
        arguments: zip(
            situations,
            [
                .close, .refuse(.requestTimeout, .linger), .refuse(.issuerUnavailable, .linger),
                .refuse(.issuerUnavailable, .linger), .refuse(.overloaded, .nextRequest), .refuse(.overloaded, .linger),
                .refuse(.upstreamTimeout, .nextRequest), .refuse(.requestTimeout, .linger), .abort, .abort, .close,
                .close,
            ] as [Exchange.Action]))
    func deadlinePassed(_ situation: Situation, _ action: Exchange.Action) {
        var exchange = situation.exchange
        #expect(exchange.deadlinePassed() == action)
        switch action {
        case .refuse(_, .nextRequest): #expect(exchange.state == .idle)
        case .refuse(_, .linger): #expect(exchange.state == .lingering)
        default: #expect(exchange.state == .closed)
        }
    }

    @Test("a request that waited while a connection was being opened learns that the upstream is the cause")
    func connectTimeout() {
        var exchange = Exchange.acquiring()
        #expect(exchange.deadlinePassed(connecting: true) == .refuse(.upstreamUnavailable, .nextRequest))
    }

    @Test("a connection that is closed and still there, because nobody reads its last bytes, is closed again")
    func lingerEnds() {
        var exchange = Exchange.lingering()
        #expect(exchange.deadlinePassed() == .close)
        #expect(exchange.deadlinePassed() == .close)
        #expect(exchange.state == .closed)
    }

    // MARK: - Drain

    @Test("draining changes no state: what goes on finishes", arguments: situations)
    func drain(_ situation: Situation) {
        var exchange = situation.exchange
        let state = exchange.state
        exchange.drain()
        #expect(exchange.state == state)
        #expect(exchange.isDraining)
    }

    @Test("an idle connection serves the request that may be on its way, and no other")
    func drainWhenIdle() {
        var exchange = Exchange()
        exchange.drain()
        exchange.received()
        exchange.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true)
        #expect(exchange.permitted(retries: 1) == .acquire)
        _ = exchange.upstreamReady(reused: false)
        #expect(exchange.responseHead(endsWithConnection: false) == true)
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.close, reuseUpstream: true))
        var silent = Exchange()
        silent.drain()
        #expect(silent.deadlinePassed() == .close)
        #expect(silent.state == .closed)
    }

    @Test("a request that was on its way finishes with Connection: close")
    func drainBeforeResponse() {
        var reading = Exchange()
        reading.received()
        reading.drain()
        reading.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true)
        #expect(reading.permitted(retries: 1) == .acquire)
        _ = reading.upstreamReady(reused: false)
        #expect(reading.responseHead(endsWithConnection: false) == true)
        #expect(reading.responseEnded(upstreamKeepsAlive: true) == .finish(.close, reuseUpstream: true))
        for situation in [Exchange.acquiring(), .awaiting()] {
            var exchange = situation
            exchange.drain()
            if exchange.state == .acquiring { _ = exchange.upstreamReady(reused: true) }
            #expect(exchange.responseHead(endsWithConnection: false) == true)
            #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.close, reuseUpstream: true))
        }
    }

    @Test("a response that had promised to keep the connection does, for one more request")
    func drainDuringResponse() {
        var exchange = Exchange.streaming()
        exchange.drain()
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.nextRequest, reuseUpstream: true))
        exchange.received()
        exchange.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true)
        #expect(exchange.refused(.missingToken, bodySkipped: true) == .refuse(.missingToken, .linger))
    }

    @Test("a request that is refused while draining ends the connection")
    func drainAndRefuse() {
        var reading = Exchange.head()
        reading.drain()
        #expect(reading.refused(.missingToken, bodySkipped: true) == .refuse(.missingToken, .linger))
        var verifying = Exchange.verifying()
        verifying.drain()
        verifying.verificationEnded()
        verifying.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true)
        #expect(verifying.refused(.invalidToken, bodySkipped: true) == .refuse(.invalidToken, .linger))
        var acquiring = Exchange.acquiring()
        acquiring.drain()
        #expect(acquiring.upstreamUnavailable(.overloaded) == .refuse(.overloaded, .linger))
    }
}
