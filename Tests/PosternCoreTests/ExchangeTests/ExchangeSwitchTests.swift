import PosternCore
import Testing

/// Requests that ask for another protocol.
@Suite struct ExchangeSwitchTests {
    private static func awaiting(hasBody: Bool = false) -> Exchange {
        var exchange = Exchange()
        exchange.received()
        exchange.headRead(
            keepAlive: true, hasBody: hasBody, expectsContinue: false, mayRepeat: !hasBody, asksForSwitch: true)
        #expect(exchange.permitted(retries: 1) == .acquire)
        #expect(exchange.upstreamReady(reused: true) == .send(answerContinue: false))
        return exchange
    }

    private static func tunnelling() -> Exchange {
        var exchange = Self.awaiting()
        #expect(exchange.protocolSwitched() == .tunnel)
        return exchange
    }

    @Test("an upstream that switches makes a tunnel, in which whatever comes is read and passed on")
    func switches() {
        var exchange = Self.tunnelling()
        #expect(exchange.state == .tunnelling && exchange.readsBody && !exchange.isBusy)
        #expect(exchange.inputClosed() == .none)
        exchange.drain()
        #expect(exchange.isDraining)
        exchange.tunnelEnded(lingers: true)
        #expect(exchange.state == .lingering)
        #expect(exchange.inputClosed() == .close)
        var other = Self.tunnelling()
        other.tunnelEnded(lingers: false)
        #expect(other.state == .closed)
        #expect(other.disconnected() == .none)
    }

    @Test("a 101 that nobody asked for is no response")
    func unasked() {
        var exchange = Exchange.awaiting()
        #expect(exchange.protocolSwitched() == .refuse(.upstreamInvalidResponse, .nextRequest))
    }

    @Test("a 101 before the whole request is no response, and one after another head breaks the connection")
    func outOfPlace() {
        var early = Self.awaiting(hasBody: true)
        #expect(early.protocolSwitched() == .refuse(.upstreamInvalidResponse, .linger))
        var late = Self.awaiting()
        #expect(late.responseHead(endsWithConnection: false) == true)
        #expect(late.protocolSwitched() == .abort)
        var complete = Self.awaiting(hasBody: true)
        complete.requestEnded()
        #expect(complete.protocolSwitched() == .tunnel)
    }

    @Test("without a switch the response passes, then both connections end: what follows may be of that protocol")
    func notSwitched() {
        var exchange = Self.awaiting()
        #expect(exchange.responseHead(endsWithConnection: false) == true)
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.linger, reuseUpstream: false))
        #expect(exchange.state == .lingering)
    }

    @Test("a refusal ends the connection for the same reason")
    func refused() {
        var exchange = Exchange()
        exchange.received()
        exchange.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true, asksForSwitch: true)
        #expect(exchange.refused(.missingToken, bodySkipped: true) == .refuse(.missingToken, .linger))
    }

    @Test("the request after one that asked for nothing is an ordinary one")
    func nothingIsLeft() {
        var exchange = Exchange.awaiting()
        #expect(exchange.responseHead(endsWithConnection: false) == false)
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.nextRequest, reuseUpstream: true))
    }

    @Test("a dead connection of the pool is tried once more, as with any request")
    func retry() {
        var exchange = Self.awaiting()
        #expect(exchange.upstreamClosed(untouched: true) == .retry)
        _ = exchange.upstreamReady(reused: false)
        #expect(exchange.protocolSwitched() == .tunnel)
        #expect(exchange.upstreamClosed(untouched: false) == .abort)
    }

    @Test("what is left of a tunnel is broken, never answered")
    func noAnswer() {
        var late = Self.tunnelling()
        #expect(late.deadlinePassed() == .abort)
        var invalid = Self.tunnelling()
        #expect(invalid.responseInvalid() == .abort)
        var gone = Self.tunnelling()
        #expect(gone.disconnected() == .abort)
    }
}
