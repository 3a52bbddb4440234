import PosternCore
import Testing

/// A shell in miniature: knows which events can happen when, and what an action may not say after all that happened.
private struct ShellModel {
    enum Phase { case idle, head, verifying, acquiring, awaiting, streaming, tunnelling, lingering, closed }

    var exchange = Exchange()
    var phase = Phase.idle
    var violations: [String] = []
    /// What was said, for the message of a failure.
    var trace: [String] = []

    // What is known of the request.
    var clientKeeps = true
    var complete = true
    var expects = false
    var continued = false
    var mayRepeat = false
    var retries = 0
    var reused = false
    var toldClose = false
    // What is known of the connection.
    var draining = false
    /// Whether the head of the current response was written before draining began, and keeps the connection.
    var wasPromised = false
    var answers = 0
    var requests = 0
    var retried = 0
    var asks = false
    var switched = 0

    mutating func violate(_ text: String) { self.violations.append("\(text): \(self.trace.suffix(12))") }

    mutating func check(_ condition: Bool, _ text: String) {
        if !condition { self.violate(text) }
    }

    // MARK: - Events

    mutating func step(_ numbers: inout SeededNumbers) {
        // Ends of the connection are rare, or hardly any would serve a second request.
        let isRare = Int.random(in: 0..<12, using: &numbers) == 0
        let choice = isRare ? Int.random(in: 0..<4, using: &numbers) : Int.random(in: 4..<16, using: &numbers)
        let flag = Bool.random(using: &numbers)
        switch choice {
        case 0:
            self.run("inputClosed", self.exchange.inputClosed())
            let mayGoOn = self.phase == .tunnelling
            self.check(mayGoOn || self.exchange.state == .closed, "open after the client gave up")
        case 1:
            self.run("disconnected", self.exchange.disconnected())
            self.check(self.exchange.state == .closed, "open after the client was gone")
        case 2:
            self.run("deadline", self.exchange.deadlinePassed(connecting: flag))
        case 3 where !self.draining:
            self.draining = true
            self.trace.append("drain")
            self.exchange.drain()
        default:
            self.progress(choice, flag, &numbers)
        }
        self.checkState()
    }

    private mutating func progress(_ choice: Int, _ flag: Bool, _ numbers: inout SeededNumbers) {
        switch self.phase {
        case .idle:
            self.exchange.received()
            self.phase = .head
            self.requests += 1
            self.toldClose = false
            self.wasPromised = false
        case .head where choice == 4:
            self.run("headRefused", self.exchange.headRefused(.badRequest))
        case .head:
            self.readHead(&numbers)
        case .verifying:
            self.exchange.verificationEnded()
            self.phase = .head
        case .acquiring where choice == 4:
            self.run("unavailable", self.exchange.upstreamUnavailable(.overloaded))
        case .acquiring:
            self.reused = flag
            self.run("ready", self.exchange.upstreamReady(reused: flag))
        case .awaiting, .streaming:
            self.forward(choice, flag)
        case .tunnelling where choice == 7:
            self.run("upstreamClosed", self.exchange.upstreamClosed(untouched: flag))
        case .tunnelling:
            self.exchange.tunnelEnded(lingers: flag)
            self.phase = flag ? .lingering : .closed
        default:
            break
        }
    }

    private mutating func readHead(_ numbers: inout SeededNumbers) {
        self.clientKeeps = Int.random(in: 0..<4, using: &numbers) > 0
        let hasBody = Int.random(in: 0..<3, using: &numbers) == 0
        self.complete = !hasBody
        self.expects = hasBody && Bool.random(using: &numbers)
        self.continued = false
        self.mayRepeat = !hasBody && Bool.random(using: &numbers)
        self.asks = Int.random(in: 0..<4, using: &numbers) == 0
        self.exchange.headRead(
            keepAlive: self.clientKeeps, hasBody: hasBody, expectsContinue: self.expects, mayRepeat: self.mayRepeat,
            asksForSwitch: self.asks)
        self.trace.append("head(keeps \(self.clientKeeps), body \(hasBody), repeat \(self.mayRepeat))")
        switch Int.random(in: 0..<4, using: &numbers) {
        case 0:
            self.exchange.verificationStarted()
            self.phase = .verifying
        case 1:
            let code = numbers.pick([.missingToken, .contentTooLarge, .accessDenied] as [RefusalCode])
            let skipped = self.complete || Bool.random(using: &numbers)
            if skipped { self.complete = true }
            self.run("refused", self.exchange.refused(code, bodySkipped: skipped))
        default:
            self.retries = Int.random(in: 0...2, using: &numbers)
            self.run("permitted", self.exchange.permitted(retries: self.retries))
        }
    }

    private mutating func forward(_ choice: Int, _ flag: Bool) {
        switch choice {
        case 4 where !self.complete:
            self.exchange.requestEnded()
            self.complete = true
        case 5 where !self.complete:
            self.run("bodyRefused", self.exchange.bodyRefused(.badRequest))
        case 6:
            self.run("responseInvalid", self.exchange.responseInvalid())
        case 7...9 where self.phase == .awaiting, 7:
            self.run("upstreamClosed", self.exchange.upstreamClosed(untouched: flag && self.phase == .awaiting))
        case 10 where self.phase == .awaiting:
            self.run("protocolSwitched", self.exchange.protocolSwitched())
        case 11... where self.phase == .awaiting:
            let close = self.exchange.responseHead(endsWithConnection: flag)
            self.phase = .streaming
            self.answers += 1
            self.toldClose = close
            self.wasPromised = !close
            let mustClose = flag || self.asks || !self.clientKeeps || self.draining || !self.complete
            self.check(close || !mustClose, "the head promised to keep a connection that ends")
            self.trace.append("responseHead(\(close))")
        case 8... where self.phase == .streaming:
            self.run("responseEnded", self.exchange.responseEnded(upstreamKeepsAlive: flag))
        default:
            break
        }
    }

    // MARK: - Actions

    private mutating func run(_ event: String, _ action: Exchange.Action) {
        self.trace.append("\(event) → \(action)")
        let before = self.phase
        switch action {
        case .none:
            if self.exchange.state == .closed { self.phase = .closed }
        case .acquire:
            self.check(before == .head, "acquire out of place")
            self.phase = .acquiring
        case .send(let answer):
            self.check(before == .acquiring, "send out of place")
            self.check(!answer || (self.expects && !self.complete && !self.continued), "100 out of place")
            self.continued = self.continued || answer
            self.phase = .awaiting
        case .tunnel:
            self.check(before == .awaiting && self.asks && self.complete, "a tunnel that nobody asked for")
            self.answers += 1
            self.switched += 1
            self.phase = .tunnelling
        case .retry:
            self.check(before == .awaiting && self.reused && self.mayRepeat && self.retries > 0, "retry out of place")
            self.retries -= 1
            self.retried += 1
            self.phase = .acquiring
        case .refuse(let code, let ending):
            self.check([.head, .verifying, .acquiring, .awaiting].contains(before), "a second answer")
            self.answers += 1
            self.end(ending, code)
        case .finish(let ending, let reuse):
            self.check(before == .streaming, "finish without a response")
            self.check(!reuse || self.complete, "an upstream connection with half a request is used again")
            self.check(!reuse || !self.asks, "an upstream connection that may have switched is used again")
            self.check(ending != .nextRequest || !self.toldClose, "kept after Connection: close")
            self.end(ending, nil)
        case .abort:
            self.check(
                [.verifying, .acquiring, .awaiting, .streaming, .tunnelling].contains(before), "abort out of place")
            self.phase = .closed
        case .close:
            self.check([.idle, .head, .lingering, .closed].contains(before), "a request was closed without an answer")
            self.phase = .closed
        }
    }

    private mutating func end(_ ending: Exchange.Ending, _ code: RefusalCode?) {
        switch ending {
        case .nextRequest:
            // While draining only where the response's head had promised it before.
            let mayGoOn = self.clientKeeps && !self.asks && self.complete && (!self.draining || self.wasPromised)
            self.check(mayGoOn, "the next request would be read where it cannot begin")
            self.check(code?.closesConnection != true, "kept after a code that closes")
            self.phase = .idle
        case .linger:
            self.phase = .lingering
        case .close:
            self.check(self.complete, "closed with bytes unread: the answer may be lost")
            self.phase = .closed
        }
    }

    private mutating func checkState() {
        let expected: Exchange.State =
            switch self.phase {
            case .idle: .idle
            case .head: .readingHead
            case .verifying: .verifying
            case .acquiring: .acquiring
            case .awaiting: .forwarding(.awaited)
            case .streaming: .forwarding(.streaming)
            case .tunnelling: .tunnelling
            case .lingering: .lingering
            case .closed: .closed
            }
        self.check(self.exchange.state == expected, "in \(self.exchange.state), not in \(expected)")
        self.check(self.answers <= self.requests, "more answers than requests")
        let forwards = self.phase == .awaiting || self.phase == .streaming
        let reads = self.phase == .tunnelling || (forwards && !self.complete)
        self.check(self.exchange.readsBody == reads, "readsBody is \(!reads)")
        let isBusy =
            [.verifying, .acquiring].contains(self.phase)
            || ([.awaiting, .streaming].contains(self.phase) && self.complete)
        self.check(self.exchange.isBusy == isBusy, "isBusy is \(!isBusy)")
    }
}

@Suite struct ExchangeModelTests {
    @Test("20,000 random connections never see an action that is out of place", arguments: 0..<4)
    func randomConnections(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(900 + seed))
        var answers = 0
        var retries = 0
        var switched = 0
        for _ in 0..<5_000 {
            var model = ShellModel()
            for _ in 0..<60 where model.violations.isEmpty {
                model.step(&numbers)
                if model.phase == .closed, Bool.random(using: &numbers) { break }
            }
            answers += model.answers
            retries += model.retried
            switched += model.switched
            guard model.violations.isEmpty else {
                Issue.record("\(model.violations[0])")
                return
            }
        }
        #expect(
            answers > 2_000 && retries > 25 && switched > 25,
            "\(answers) answers, \(retries) retries, \(switched) tunnels")
    }
}
