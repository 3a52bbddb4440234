import PosternCore
import Testing

@Suite struct ExchangeUpstreamTests {
    // MARK: - Sent again

    @Test("a request that may be repeated is sent again once when a reused connection turns out dead")
    func retry() {
        var exchange = Exchange.awaiting()
        #expect(exchange.upstreamClosed(untouched: true) == .retry)
        #expect(exchange.state == .acquiring)
        #expect(exchange.upstreamReady(reused: false) == .send(answerContinue: false))
        #expect(exchange.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .nextRequest))
        #expect(exchange.state == .idle)
    }

    @Test("the second connection is the last, even if it was reused, too")
    func noSecondRetry() {
        var exchange = Exchange.awaiting()
        #expect(exchange.upstreamClosed(untouched: true) == .retry)
        _ = exchange.upstreamReady(reused: true)
        #expect(exchange.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .nextRequest))
    }

    @Test("as many times as the upstream's retry attempts say")
    func configuredRetries() {
        var exchange = Exchange.awaiting(retries: 2)
        #expect(exchange.upstreamClosed(untouched: true) == .retry)
        _ = exchange.upstreamReady(reused: true)
        #expect(exchange.upstreamClosed(untouched: true) == .retry)
        _ = exchange.upstreamReady(reused: true)
        #expect(exchange.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .nextRequest))
        var none = Exchange.awaiting(retries: 0)
        #expect(none.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .nextRequest))
    }

    @Test("a request is never sent again when that could do something twice, or the cause is another")
    func noRetry() {
        var notIdempotent = Exchange.awaiting(mayRepeat: false)
        #expect(notIdempotent.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .nextRequest))
        var fresh = Exchange.awaiting(reused: false)
        #expect(fresh.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .nextRequest))
        var touched = Exchange.awaiting()
        #expect(touched.upstreamClosed(untouched: false) == .refuse(.upstreamUnavailable, .nextRequest))
        var withBody = Exchange.awaiting(hasBody: true, mayRepeat: false)
        #expect(withBody.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .linger))
        var streaming = Exchange.streaming()
        #expect(streaming.upstreamClosed(untouched: true) == .abort)
        var invalid = Exchange.awaiting()
        #expect(invalid.responseInvalid() == .refuse(.upstreamInvalidResponse, .nextRequest))
    }

    // MARK: - Refused (HTTP/2)

    @Test("a request that the upstream has not looked at is sent again, whatever it is, if it is at hand")
    func refused() {
        var exchange = Exchange.awaiting(mayRepeat: false, reused: false)
        #expect(exchange.upstreamRefused(isKept: true) == .retry)
        #expect(exchange.state == .acquiring)
        #expect(exchange.upstreamReady(reused: false) == .send(answerContinue: false))
        var gone = Exchange.awaiting()
        #expect(gone.upstreamRefused(isKept: false) == .refuse(.upstreamUnavailable, .nextRequest))
        var streaming = Exchange.streaming()
        #expect(streaming.upstreamRefused(isKept: true) == .abort)
    }

    @Test("three times at most, and not where retries are off")
    func refusedAgain() {
        var exchange = Exchange.awaiting(hasBody: true, mayRepeat: false)
        for _ in 0..<3 {
            #expect(exchange.upstreamRefused(isKept: true) == .retry)
            #expect(exchange.upstreamReady(reused: true) == .send(answerContinue: false))
        }
        #expect(exchange.upstreamRefused(isKept: true) == .refuse(.upstreamUnavailable, .linger))
        var none = Exchange.awaiting(retries: 0)
        #expect(none.upstreamRefused(isKept: true) == .refuse(.upstreamUnavailable, .nextRequest))
    }

    @Test("refusals and dead connections are counted apart")
    func refusedThenClosed() {
        var exchange = Exchange.awaiting()
        #expect(exchange.upstreamRefused(isKept: true) == .retry)
        _ = exchange.upstreamReady(reused: true)
        #expect(exchange.upstreamClosed(untouched: true) == .retry)
        _ = exchange.upstreamReady(reused: true)
        #expect(exchange.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .nextRequest))
    }

    @Test("retries of one request are not left for the next")
    func retriesArePerRequest() {
        var exchange = Exchange.streaming()
        _ = exchange.responseEnded(upstreamKeepsAlive: true)
        exchange.received()
        exchange.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: false)
        _ = exchange.permitted(retries: 1)
        _ = exchange.upstreamReady(reused: true)
        #expect(exchange.upstreamClosed(untouched: true) == .refuse(.upstreamUnavailable, .nextRequest))
    }

    // MARK: - No upstream

    @Test("no upstream connection is 502 or 503, and the connection goes on if nothing is left to read")
    func upstreamUnavailable() {
        for code in [.upstreamUnavailable, .overloaded] as [RefusalCode] {
            var exchange = Exchange.acquiring()
            #expect(exchange.upstreamUnavailable(code) == .refuse(code, .nextRequest))
            #expect(exchange.state == .idle)
            var withBody = Exchange.acquiring(hasBody: true)
            #expect(withBody.upstreamUnavailable(code) == .refuse(code, .linger))
            #expect(withBody.state == .lingering)
            var last = Exchange.acquiring(keepAlive: false)
            #expect(last.upstreamUnavailable(code) == .refuse(code, .linger))
        }
    }

    // MARK: - The upstream closes or breaks at each point

    @Test(
        "an upstream that closes before a response head is 502, one that closes in the middle breaks the client's connection"
    )
    func upstreamCloses() {
        var awaited = Exchange.awaiting(reused: false)
        #expect(awaited.upstreamClosed(untouched: false) == .refuse(.upstreamUnavailable, .nextRequest))
        var streaming = Exchange.streaming()
        #expect(streaming.upstreamClosed(untouched: false) == .abort)
        #expect(streaming.state == .closed)
        var untilClose = Exchange.streaming(endsWithConnection: true)
        #expect(untilClose.upstreamClosed(untouched: false) == .abort, "a broken body is never taken for a whole one")
    }

    @Test("a malformed response is 502 before its head was passed on, and breaks the client's connection after")
    func malformedResponse() {
        var awaited = Exchange.awaiting(hasBody: true)
        #expect(awaited.responseInvalid() == .refuse(.upstreamInvalidResponse, .linger))
        #expect(awaited.state == .lingering)
        var streaming = Exchange.streaming()
        #expect(streaming.responseInvalid() == .abort)
        #expect(streaming.state == .closed)
    }

    // MARK: - Early responses

    @Test("a response that overtakes the request's body ends the connection, and the upstream's")
    func earlyResponse() {
        var exchange = Exchange.awaiting(hasBody: true)
        #expect(exchange.responseHead(endsWithConnection: false) == true, "its head says so")
        #expect(exchange.readsBody, "the body goes on meanwhile")
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.linger, reuseUpstream: false))
        #expect(exchange.state == .lingering)
        #expect(!exchange.readsBody)
    }

    @Test("when the body ends before the early response does, the client's connection still ends, as was said")
    func earlyResponseHead() {
        var exchange = Exchange.streaming(hasBody: true)
        exchange.requestEnded()
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.close, reuseUpstream: true))
        #expect(exchange.state == .closed)
    }
}
