import PosternCore
import Testing

@Suite struct ExchangeRequestTests {
    // MARK: - The ordinary way

    @Test("a request without a body goes its way and the next one may come")
    func ordinaryRequest() {
        var exchange = Exchange()
        #expect(exchange.state == .idle)
        exchange.received()
        #expect(exchange.state == .readingHead)
        exchange.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true)
        #expect(exchange.permitted(retries: 1) == .acquire)
        #expect(exchange.state == .acquiring)
        #expect(exchange.isBusy && !exchange.readsBody)
        #expect(exchange.upstreamReady(reused: false) == .send(answerContinue: false))
        #expect(exchange.state == .forwarding(.awaited))
        #expect(exchange.isBusy && !exchange.readsBody && exchange.requestIsComplete)
        #expect(exchange.responseHead(endsWithConnection: false) == false)
        #expect(exchange.state == .forwarding(.streaming))
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.nextRequest, reuseUpstream: true))
        #expect(exchange.state == .idle)
        #expect(!exchange.isBusy)
    }

    @Test("a request with a body reads it while it is forwarded, and no earlier or later")
    func requestWithBody() {
        var exchange = Exchange.head(hasBody: true, mayRepeat: false)
        #expect(!exchange.readsBody)
        _ = exchange.permitted(retries: 1)
        #expect(!exchange.readsBody, "the body is not read before the upstream is there")
        _ = exchange.upstreamReady(reused: false)
        #expect(exchange.readsBody && !exchange.isBusy && !exchange.requestIsComplete)
        exchange.requestEnded()
        #expect(!exchange.readsBody && exchange.isBusy && exchange.requestIsComplete)
        #expect(exchange.responseHead(endsWithConnection: false) == false)
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.nextRequest, reuseUpstream: true))
    }

    @Test("the connection serves a hundred requests, each as the first")
    func manyRequests() {
        var exchange = Exchange()
        for _ in 0..<100 {
            exchange.received()
            exchange.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true)
            #expect(exchange.permitted(retries: 1) == .acquire)
            #expect(exchange.upstreamReady(reused: true) == .send(answerContinue: false))
            #expect(exchange.upstreamClosed(untouched: true) == .retry)
            #expect(exchange.upstreamReady(reused: false) == .send(answerContinue: false))
            #expect(exchange.responseHead(endsWithConnection: false) == false)
            #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.nextRequest, reuseUpstream: true))
        }
    }

    @Test("bytes that come in the middle of a request change nothing")
    func receivedInTheMiddle() {
        for exchange in [Exchange.verifying(), .acquiring(), .awaiting(), .streaming(), .lingering(), .ended()] {
            var copy = exchange
            copy.received()
            #expect(copy == exchange)
        }
    }

    // MARK: - Keep-alive

    @Test("a client that ends the connection is told so and gets its close")
    func clientCloses() {
        var exchange = Exchange.awaiting(keepAlive: false)
        #expect(exchange.responseHead(endsWithConnection: false) == true)
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.close, reuseUpstream: true))
        #expect(exchange.state == .closed)
    }

    @Test("a body that ends with the client's connection closes it")
    func bodyUntilClose() {
        var exchange = Exchange.awaiting()
        #expect(exchange.responseHead(endsWithConnection: true) == true)
        #expect(exchange.responseEnded(upstreamKeepsAlive: true) == .finish(.close, reuseUpstream: true))
    }

    @Test("an upstream that ends its connection does not end the client's")
    func upstreamEnds() {
        var exchange = Exchange.streaming()
        #expect(exchange.responseEnded(upstreamKeepsAlive: false) == .finish(.nextRequest, reuseUpstream: false))
        #expect(exchange.state == .idle)
    }

    @Test("keep-alive of one request does not outlive it")
    func keepAliveIsPerRequest() {
        var exchange = Exchange.streaming()
        _ = exchange.responseEnded(upstreamKeepsAlive: true)
        exchange.received()
        exchange.headRead(keepAlive: false, hasBody: false, expectsContinue: false, mayRepeat: true)
        #expect(exchange.refused(.missingToken, bodySkipped: true) == .refuse(.missingToken, .linger))
    }

    // MARK: - 100-continue

    @Test("100 Continue is answered with the permit and the upstream at hand, once")
    func continueIsAnswered() {
        var exchange = Exchange.acquiring(hasBody: true, expectsContinue: true, mayRepeat: false)
        #expect(exchange.upstreamReady(reused: false) == .send(answerContinue: true))
        #expect(exchange.readsBody)
    }

    @Test("100 Continue is not answered for a request that waits for nothing")
    func continueWithoutBody() {
        var exchange = Exchange.acquiring(hasBody: false, expectsContinue: true)
        #expect(exchange.upstreamReady(reused: false) == .send(answerContinue: false))
    }

    @Test("a refused client that waits for 100 never gets it, and its connection ends")
    func refusedInsteadOfContinue() {
        var exchange = Exchange.head(hasBody: true, expectsContinue: true)
        #expect(exchange.refused(.missingToken, bodySkipped: false) == .refuse(.missingToken, .linger))
        #expect(exchange.state == .lingering)
    }

    // MARK: - Refusals

    @Test("a head that could not be read is answered and the connection ends")
    func headRefused() {
        for code in [.badRequest, .uriTooLong, .requestHeaderFieldsTooLarge, .notImplemented] as [RefusalCode] {
            var exchange = Exchange()
            exchange.received()
            #expect(exchange.headRefused(code) == .refuse(code, .linger))
            #expect(exchange.state == .lingering)
            #expect(!exchange.readsBody && !exchange.isBusy)
        }
    }

    @Test(
        "a refused request leaves the connection open only if nothing of it is left to come",
        arguments: RefusalCode.allCases)
    func refused(_ code: RefusalCode) {
        var skipped = Exchange.head()
        let stays: Exchange.Ending = code.closesConnection ? .linger : .nextRequest
        #expect(skipped.refused(code, bodySkipped: true) == .refuse(code, stays))
        #expect(skipped.state == (code.closesConnection ? .lingering : .idle))

        var unread = Exchange.head(hasBody: true)
        #expect(unread.refused(code, bodySkipped: false) == .refuse(code, .linger))
        #expect(unread.state == .lingering)

        var last = Exchange.head(keepAlive: false)
        #expect(last.refused(code, bodySkipped: true) == .refuse(code, .linger))
        #expect(last.state == .lingering)
    }

    @Test("a request that is refused after its token was waited for, too")
    func refusedAfterVerification() {
        var exchange = Exchange.verifying()
        #expect(exchange.isBusy && !exchange.readsBody)
        exchange.verificationEnded()
        #expect(exchange.state == .readingHead)
        exchange.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true)
        #expect(exchange.refused(.invalidToken, bodySkipped: true) == .refuse(.invalidToken, .nextRequest))
        #expect(exchange.state == .idle)
    }

    @Test("the next request after a refused one is served")
    func nextAfterRefusal() {
        var exchange = Exchange.head()
        _ = exchange.refused(.accessDenied, bodySkipped: true)
        exchange.received()
        #expect(exchange.state == .readingHead)
        exchange.headRead(keepAlive: true, hasBody: false, expectsContinue: false, mayRepeat: true)
        #expect(exchange.permitted(retries: 0) == .acquire)
    }

    @Test("a body that breaks is answered while no response was, and breaks the connection after")
    func bodyRefused() {
        var awaited = Exchange.awaiting(hasBody: true)
        #expect(awaited.bodyRefused(.badRequest) == .refuse(.badRequest, .linger))
        #expect(awaited.state == .lingering)
        var tooLarge = Exchange.awaiting(hasBody: true)
        #expect(tooLarge.bodyRefused(.contentTooLarge) == .refuse(.contentTooLarge, .linger))
        var streaming = Exchange.streaming(hasBody: true)
        #expect(streaming.bodyRefused(.badRequest) == .abort)
        #expect(streaming.state == .closed)
    }
}
