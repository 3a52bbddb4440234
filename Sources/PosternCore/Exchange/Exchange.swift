/// The state machine of one downstream connection: one request after another, each from its first byte to the end of its
/// response. It does no I/O and reads no clock: the shell tells it what happened and carries out the action it gets.
public struct Exchange: Equatable, Sendable {
    /// Where the current request is.
    public enum State: Equatable, Sendable {
        /// Between requests. Exits: `readingHead` at the first byte, `closed`.
        case idle
        /// Some of a head came. Exits: `verifying`, `acquiring`, `idle` or `lingering` (refused), `closed`.
        case readingHead
        /// The token's verdict waits for keys. Exits: `readingHead` (judged again), `idle` or `lingering`
        /// (refused), `closed`.
        case verifying
        /// Permitted; waits for an upstream connection. Exits: `forwarding`, `idle` or `lingering`, `closed`.
        case acquiring
        /// The head went to the upstream. Exits: `idle`, `acquiring` (sent again), `tunnelling`, `lingering`, `closed`.
        case forwarding(Response)
        /// The upstream has switched protocols: the connection is a tunnel, and `Tunnel` says what becomes of it. Exits:
        /// `lingering`, `closed`.
        case tunnelling
        /// The last answer is written; what the client still sends is thrown away for a moment, so that it can read
        /// the answer before the connection is reset. Exit: `closed`.
        case lingering
        /// Nothing more will happen.
        case closed
    }

    /// How far the response is.
    public enum Response: Equatable, Sendable {
        /// No byte of a final response head was passed on.
        case awaited
        /// The head was passed on, the body follows.
        case streaming
    }

    /// What becomes of the client's connection.
    public enum Ending: Equatable, Sendable {
        /// The next request may come.
        case nextRequest
        /// Nothing is unread: close at once.
        case close
        /// Half-close, throw away what still comes, then close.
        case linger
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case none
        /// Get an upstream connection for the request.
        case acquire
        /// Write the request to the upstream; before that, if `answerContinue`, `100 Continue` to the client.
        case send(answerContinue: Bool)
        /// Answer the client, give up the upstream connection if there is one, then as `Ending` says.
        case refuse(RefusalCode, Ending)
        /// The exchange is complete.
        case finish(Ending, reuseUpstream: Bool)
        /// Get a new upstream connection and send the request again.
        case retry
        /// The upstream's 101 is passed on, and from here on bytes are.
        case tunnel
        /// Close the client's connection so that nothing that was sent looks complete; give up the upstream.
        case abort
        /// Close the client's connection: nobody waits for an answer.
        case close
    }

    public private(set) var state = State.idle
    private var keepAlive = true
    private var requestComplete = true
    private var expectsContinue = false
    private var retriesLeft = 0
    private var refusalsLeft = 0
    private var reusedConnection = false
    private var mayRepeat = false
    private var draining = false
    private var asksForSwitch = false

    public init() {}

    // MARK: - Request

    /// Bytes came between requests.
    public mutating func received() {
        if self.state == .idle { self.state = .readingHead }
    }

    /// The head was read and is well-formed.
    ///
    /// - Parameters:
    ///   - mayRepeat: whether sending the request twice has the effect of sending it once, and all of it is at hand: an
    ///     idempotent method and no body.
    ///   - asksForSwitch: whether the client wants to go on with another protocol. It gets it, or the connection closes:
    ///     what follows the head may be of that protocol, and is never read as a request.
    public mutating func headRead(
        keepAlive: Bool, hasBody: Bool, expectsContinue: Bool, mayRepeat: Bool, asksForSwitch: Bool = false
    ) {
        self.keepAlive = keepAlive && !self.draining && !asksForSwitch
        self.asksForSwitch = asksForSwitch
        self.requestComplete = !hasBody
        self.expectsContinue = expectsContinue
        self.mayRepeat = mayRepeat
        self.retriesLeft = 0
        self.reusedConnection = false
    }

    /// The head could not be read: nothing after it can be, either.
    public mutating func headRefused(_ code: RefusalCode) -> Action {
        self.state = .lingering
        return .refuse(code, .linger)
    }

    /// The token cannot be judged at once.
    public mutating func verificationStarted() { self.state = .verifying }

    /// What was waited for is there, or is not coming: the head is judged again.
    public mutating func verificationEnded() { self.state = .readingHead }

    /// The request is refused.
    ///
    /// - Parameter bodySkipped: there is no body, or all of it came already and was thrown away.
    public mutating func refused(_ code: RefusalCode, bodySkipped: Bool) -> Action {
        let ending: Ending =
            self.keepAlive && bodySkipped && !code.closesConnection ? .nextRequest : .linger
        self.settle(ending)
        return .refuse(code, ending)
    }

    /// The proxy answers the request itself, and with no refusal: a preflight, which has no body.
    public mutating func answered() -> Action {
        let ending: Ending = self.keepAlive ? .nextRequest : .close
        self.settle(ending)
        return .finish(ending, reuseUpstream: false)
    }

    /// Whether the client's connection closes after an answer that is whole.
    public var closesAfterAnswer: Bool { !self.keepAlive }

    /// A permit was given.
    ///
    /// - Parameter retries: how often the request may be sent again if a reused connection turns out dead.
    public mutating func permitted(retries: Int) -> Action {
        self.state = .acquiring
        self.retriesLeft = self.mayRepeat ? retries : 0
        self.refusalsLeft = retries > 0 ? Self.refusalLimit : 0
        return .acquire
    }

    /// The last byte of the request went to the upstream.
    public mutating func requestEnded() { self.requestComplete = true }

    /// Whether bytes that come are for the upstream and may be read: the request's body, or a tunnel's.
    public var readsBody: Bool {
        switch self.state {
        case .forwarding: !self.requestComplete
        case .tunnelling: true
        default: false
        }
    }

    /// Whether the request may yet be sent again.
    public var mayRetry: Bool { self.reusedConnection && self.retriesLeft > 0 }

    /// Whether the process is to end.
    public var isDraining: Bool { self.draining }

    /// Whether all of the request went to the upstream.
    public var requestIsComplete: Bool { self.requestComplete }

    /// Whether bytes that come belong to the next request, which waits.
    public var isBusy: Bool {
        switch self.state {
        case .verifying, .acquiring: true
        case .forwarding: self.requestComplete
        default: false
        }
    }

    // MARK: - Upstream

    /// An upstream connection is there. `reused`: it has served a request before, so it may be dead already.
    public mutating func upstreamReady(reused: Bool) -> Action {
        self.state = .forwarding(.awaited)
        self.reusedConnection = reused
        let answer = self.expectsContinue && !self.requestComplete
        self.expectsContinue = false
        return .send(answerContinue: answer)
    }

    /// No upstream connection can be had.
    public mutating func upstreamUnavailable(_ code: RefusalCode) -> Action { self.fail(code) }

    /// A final response head came and is passed on.
    ///
    /// - Parameter endsWithConnection: the end of its body is the end of the client's connection.
    /// - Returns: whether the client's connection closes after this response, which its head has to say.
    public mutating func responseHead(endsWithConnection: Bool) -> Bool {
        self.state = .forwarding(.streaming)
        // A response that overtakes the request's body: the rest of the body will not be waited for.
        if !self.requestComplete || self.draining || endsWithConnection { self.keepAlive = false }
        return !self.keepAlive
    }

    /// The response is complete.
    ///
    /// - Parameter upstreamKeepsAlive: whether the upstream lets its connection go on.
    public mutating func responseEnded(upstreamKeepsAlive: Bool) -> Action {
        // After a protocol that was not switched to, the client may have sent what is thrown away; and the upstream may take
        // what comes for that protocol.
        let ending: Ending =
            !self.requestComplete || self.asksForSwitch ? .linger : self.keepAlive ? .nextRequest : .close
        let reuse = upstreamKeepsAlive && self.requestComplete && !self.asksForSwitch
        self.settle(ending)
        return .finish(ending, reuseUpstream: reuse)
    }

    /// The upstream accepted the protocol that it was asked for (101). Not before it has the whole request (RFC 9110
    /// section 7.8).
    public mutating func protocolSwitched() -> Action {
        guard self.state == .forwarding(.awaited), self.asksForSwitch, self.requestComplete else {
            return self.responseInvalid()
        }
        self.state = .tunnelling
        return .tunnel
    }

    /// The tunnel is over.
    ///
    /// - Parameter lingers: the client was told, and gets a moment to read it.
    public mutating func tunnelEnded(lingers: Bool) {
        self.state = lingers ? .lingering : .closed
    }

    /// The upstream sent something that is no response.
    public mutating func responseInvalid() -> Action { self.failOrAbort(.upstreamInvalidResponse) }

    /// The upstream connection closed or broke before the response was complete.
    ///
    /// - Parameter untouched: not one byte of a response came on it for this request.
    public mutating func upstreamClosed(untouched: Bool) -> Action {
        if self.state == .forwarding(.awaited), untouched, self.reusedConnection, self.retriesLeft > 0 {
            self.retriesLeft -= 1
            self.state = .acquiring
            return .retry
        }
        return self.failOrAbort(.upstreamUnavailable)
    }

    /// The upstream has not looked at the request and says so (HTTP/2: GOAWAY, REFUSED_STREAM; RFC 9113 section 8.7), or
    /// never got it: whatever it is, sending it again has the effect of sending it once.
    ///
    /// - Parameter isKept: whether what went to the upstream is at hand.
    public mutating func upstreamRefused(isKept: Bool) -> Action {
        if self.state == .forwarding(.awaited), isKept, self.refusalsLeft > 0 {
            self.refusalsLeft -= 1
            self.state = .acquiring
            return .retry
        }
        return self.failOrAbort(.upstreamUnavailable)
    }

    /// How often a request is sent again that was refused: connections may end one after the other.
    private static let refusalLimit = 3

    // MARK: - Client

    /// The client sends no more. HTTP clients do not half-close a connection they wait on: this one has given up, and the
    /// upstream is spared the rest of its work.
    public mutating func inputClosed() -> Action {
        switch self.state {
        case .idle, .readingHead, .lingering:
            self.state = .closed
            return .close
        case .verifying, .acquiring, .forwarding:
            self.state = .closed
            return .abort
        case .tunnelling, .closed:
            // In a tunnel one side's end is not the other's.
            return .none
        }
    }

    /// The client's connection is gone.
    public mutating func disconnected() -> Action {
        let wasWaiting = self.isBusy || self.readsBody
        self.state = .closed
        return wasWaiting ? .abort : .none
    }

    /// The request's body is not acceptable.
    public mutating func bodyRefused(_ code: RefusalCode) -> Action { self.failOrAbort(code) }

    // MARK: - Time

    /// The current state has lasted as long as it may.
    ///
    /// - Parameter connecting: while the request waits for an upstream connection: whether one is being opened, so that
    ///   the upstream is the cause and not the number of requests.
    public mutating func deadlinePassed(connecting: Bool = false) -> Action {
        switch self.state {
        case .idle, .lingering, .closed:
            // Closed, and still there: what was written last is not being read.
            self.state = .closed
            return .close
        case .readingHead:
            self.state = .lingering
            return .refuse(.requestTimeout, .linger)
        case .verifying:
            // The head still stands unread in front of whatever follows it: nothing after it can be served.
            self.state = .lingering
            return .refuse(.issuerUnavailable, .linger)
        case .acquiring:
            return self.fail(connecting ? .upstreamUnavailable : .overloaded)
        case .forwarding(.awaited):
            return self.fail(self.requestComplete ? .upstreamTimeout : .requestTimeout)
        case .forwarding(.streaming), .tunnelling:
            return self.failOrAbort(.upstreamTimeout)
        }
    }

    /// The process is to end: this connection's next response is its last, and says so. Where a response has promised to keep
    /// the connection, or nothing goes on, the client's next request may be on its way: it is waited for until the deadline.
    public mutating func drain() {
        self.draining = true
        if self.state != .forwarding(.streaming) { self.keepAlive = false }
    }

    /// The process ends now. A request that the service was not given yet may be sent again, and its client hears so.
    public mutating func ended() -> Action {
        switch self.state {
        case .verifying, .acquiring:
            self.state = .lingering
            return .refuse(.draining, .linger)
        case .idle, .readingHead, .forwarding, .tunnelling, .lingering, .closed:
            return .none
        }
    }

    // MARK: - Helpers

    private mutating func fail(_ code: RefusalCode) -> Action {
        let reads = self.keepAlive && self.requestComplete && !code.closesConnection
        let ending: Ending = reads ? .nextRequest : .linger
        self.settle(ending)
        return .refuse(code, ending)
    }

    private mutating func failOrAbort(_ code: RefusalCode) -> Action {
        if self.state == .forwarding(.streaming) || self.state == .tunnelling {
            self.state = .closed
            return .abort
        }
        return self.fail(code)
    }

    private mutating func settle(_ ending: Ending) {
        switch ending {
        case .nextRequest: self.state = .idle
        case .linger: self.state = .lingering
        case .close: self.state = .closed
        }
    }
}
