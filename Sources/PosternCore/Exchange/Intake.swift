/// The memory in which one event loop reads requests, and the steps of a request that need no I/O: its head is found, read,
/// judged, and composed for the upstream. One value an event loop, reused from request to request, so that nothing is
/// allocated; one call a step, so that the shell reaches into its memory a few times for a request and not for each byte.
public struct Intake: Sendable {
    private var scanner = HeadScanner()
    private var head = RequestHead()
    private var target = CheckedTarget(path: .none)
    private var captures = Captures()
    private var identifiers: Identifiers
    private var cache: TokenCache<CachedToken>
    /// Tokens that introspection did not accept. Apart from the others, so that tokens that somebody invents cannot push
    /// out the ones that are in use.
    private var rejected: TokenCache<Rejection>
    private var withdrawals = Withdrawals()

    /// A cached verdict, and for which state of the revocations it was found good.
    private struct CachedToken {
        var token: VerifiedToken
        var epoch: Int

        /// The epoch of a verdict that is to be looked at again.
        static let unchecked = -1
    }

    private struct Rejection {
        var problem: TokenProblem
        /// Unix seconds.
        var until: Double
    }

    /// - Parameters:
    ///   - identifierSeed: randomness for request and trace ids.
    ///   - cacheSeed: randomness for the token cache's hash.
    public init(identifierSeed: (UInt64, UInt64), cacheSeed: (UInt64, UInt64)) {
        self.identifiers = Identifiers(random: IdentifierSource(seed: identifierSeed.0, identifierSeed.1))
        self.cache = TokenCache(capacity: Self.tokens, byteLimit: Self.tokenBytes, seed: cacheSeed)
        self.rejected = TokenCache(capacity: Self.rejections, byteLimit: Self.rejectionBytes, seed: cacheSeed)
    }

    /// Tokens that are kept at most, and bytes of them: three times the ten thousand callers that one loop of a sidecar may
    /// see within the life of a token, so that no set of the table overflows by chance.
    static let tokens = 32 * 1024
    static let tokenBytes = 16 << 20
    /// Rejected tokens that are kept at most, and bytes of them.
    static let rejections = 1024
    static let rejectionBytes = 1 << 20

    /// What a head says that outlives its bytes.
    public struct Facts: Equatable, Sendable {
        public var method = Method.other
        /// The x of HTTP/1.x.
        public var minorVersion: UInt8 = 1
        public var keepAlive = false
        public var expectsContinue = false
        /// An Upgrade that Connection names.
        public var upgrade = false
        public var framing = BodyFraming.none
        /// Bytes of the head.
        public var end = 0
        public var methodToken = ByteRange.none
        public var target = ByteRange.none
        /// Which of the allowed origins the request comes from: an index, or `CrossOrigin.noOrigin`.
        public var origin = CrossOrigin.noOrigin
        /// Its content-type if it is a gRPC call: how it is to be answered if it is refused, now or later.
        public var grpc: GRPCContentType?

        public init() {}

        init(_ head: RequestHead) {
            self.method = head.method
            self.minorVersion = head.minorVersion
            self.keepAlive = head.keepAlive
            self.expectsContinue = head.expectsContinue
            self.upgrade = head.upgrade
            self.framing = head.framing
            self.end = head.end
            self.methodToken = head.methodToken
            self.target = head.target
        }
    }

    /// What becomes of a request.
    public enum Verdict: Sendable {
        /// It may go on; the token is nil for anonymous callers.
        case permit(Permit, VerifiedToken?)
        /// The token in this range is not in the cache: verify it, then `accept` and `authorize`.
        case verify(ByteRange)
        /// The token was found not to be acceptable a moment ago (introspection), and is not asked about again.
        case rejected(TokenProblem)
        /// A preflight that the proxy answers itself.
        case answer(PreflightAnswer)
        /// The token is nil unless it was verified and the route's rules refuse it.
        case refuse(Refusal, VerifiedToken?)
    }

    /// What stands at the beginning of some bytes.
    public enum Outcome: Sendable {
        /// All bytes are used and the head goes on: look again with `scanner` when there are more.
        case incomplete(HeadScanner)
        /// No head, or one that cannot be read: nothing after it can be, either.
        case problem(HTTPProblem)
        /// A well-formed head. `route` is `PolicyCatalogue.undeclared` where none was matched.
        case judged(Facts, route: Int, Verdict)
    }

    // MARK: - Steps 1 to 6

    /// Reads the head that `bytes` begin with, and judges it as far as that goes without verifying a token.
    ///
    /// - Parameters:
    ///   - resumed: the scanner of an earlier `incomplete` for the same head.
    ///   - now: Unix seconds; a cached verdict whose time is over does not count.
    ///   - requestID: becomes the request's id, if the head is well-formed.
    public mutating func take(
        _ bytes: RawSpan, resumed: HeadScanner?, gate: Gate, limits: HeadLimits, now: Double,
        requestID: inout [UInt8]
    ) -> Outcome {
        if let resumed { self.scanner = resumed } else { self.scanner.reset() }
        switch self.scanner.scan(bytes, limits: limits) {
        case .incomplete:
            return .incomplete(self.scanner)
        case .problem(let problem):
            return .problem(problem)
        case .complete(let end):
            do throws(HTTPProblem) {
                try self.head.read(bytes, self.scanner, end: end, limits: limits)
            } catch {
                return .problem(error)
            }
        }
        self.identifiers.assign(bytes, self.head)
        if !requestID.isEmpty { requestID.removeAll(keepingCapacity: true) }
        self.identifiers.appendRequestID(to: &requestID)
        var route = PolicyCatalogue.undeclared
        let admission = gate.admit(
            bytes, self.head, route: &route, target: &self.target, captures: &self.captures, unchecked: true)
        var facts = Facts(self.head)
        if self.head.originCount != 0, let crossOrigin = gate.crossOrigin {
            facts.origin = crossOrigin.origin(bytes, self.head)
        }
        if !self.head.contentType.isEmpty { facts.grpc = GRPCContentType(bytes.slice(self.head.contentType)) }
        switch admission {
        case .permit(let permit):
            return .judged(facts, route: route, .permit(permit, nil))
        case .answer(let answer):
            return .judged(facts, route: route, .answer(answer))
        case .refuse(let refusal):
            return .judged(facts, route: route, .refuse(refusal, nil))
        case .verify(let range):
            return .judged(facts, route: route, self.judge(bytes, range, gate: gate, route: route, now: now))
        }
    }

    /// The same where nobody wants to know the id.
    public mutating func take(
        _ bytes: RawSpan, resumed: HeadScanner?, gate: Gate, limits: HeadLimits, now: Double
    ) -> Outcome {
        var id: [UInt8] = []
        return self.take(bytes, resumed: resumed, gate: gate, limits: limits, now: now, requestID: &id)
    }

    /// What the caches say of the token in `range`.
    @inline(__always)
    private mutating func judge(
        _ bytes: RawSpan, _ range: ByteRange, gate: Gate, route: Int, now: Double
    ) -> Verdict {
        let token = bytes.slice(range)
        guard let cached = self.cache.lookup(token), now < cached.token.expiresAt else {
            return self.unknown(bytes, range, now: now)
        }
        if gate.isCurrent(cached.token), cached.epoch == self.withdrawals.epoch {
            return self.authorize(cached.token, bytes, gate: gate, route: route)
        }
        switch self.renew(cached.token, token, gate: gate) {
        case .success(let renewed)?: return self.authorize(renewed, bytes, gate: gate, route: route)
        case .failure(let refusal)?: return .refuse(refusal, cached.token)
        case nil: return .verify(range)
        }
    }

    /// A token that is not in the cache. Those in it were held against the grammar before.
    private mutating func unknown(_ bytes: RawSpan, _ range: ByteRange, now: Double) -> Verdict {
        guard Credential.isToken(bytes, range) else {
            return .refuse(Refusal(.invalidRequest, CredentialProblem.malformed.detail), nil)
        }
        if let rejection = self.rejected.lookup(bytes.slice(range)), now < rejection.until {
            return .rejected(rejection.problem)
        }
        return .verify(range)
    }

    /// The cached verdict on a token, looked at again because the policy or the revocations are others now. Nil: it cannot
    /// be used under this policy.
    @inline(never)
    private mutating func renew(
        _ token: VerifiedToken, _ bytes: RawSpan, gate: Gate
    ) -> Result<VerifiedToken, Refusal>? {
        var renewed = token
        if !gate.isCurrent(token) {
            guard case .success(let other) = gate.verifiedToken(for: token.principal, terms: token.terms) else {
                return nil
            }
            renewed = other
        }
        // One that is revoked stays as it is: it is looked at each time, and never verified again in vain.
        if let refusal = self.withdrawals.refusal(for: renewed.terms) { return .failure(refusal) }
        self.cache.update(bytes, value: CachedToken(token: renewed, epoch: self.withdrawals.epoch))
        return .success(renewed)
    }

    /// Step 5, for the head that was taken last: takes over a principal whose token was verified, unless it is revoked.
    public mutating func accept(
        _ principal: Principal, token: RawSpan, terms: TokenTerms = TokenTerms(), gate: Gate, now: Double
    ) -> Result<VerifiedToken, Refusal> {
        let result = gate.verifiedToken(for: principal, terms: terms)
        guard case .success(let verified) = result else { return result }
        let refusal = self.withdrawals.refusal(for: terms)
        if now < verified.staleUntil {
            let epoch = refusal == nil ? self.withdrawals.epoch : CachedToken.unchecked
            self.cache.insert(
                token: token.array(), value: CachedToken(token: verified, epoch: epoch), weight: terms.weight)
        }
        return refusal.map { .failure($0) } ?? result
    }

    /// Step 5, for a token whose issuer cannot be asked: the last verdict on it, if it may serve in such a case
    /// (`stale_if_error`).
    public mutating func stale(_ token: RawSpan, gate: Gate, now: Double) -> Result<VerifiedToken, Refusal>? {
        guard let cached = self.cache.lookup(token)?.token, now < cached.staleUntil else { return nil }
        return self.renew(cached, token, gate: gate)
    }

    /// Introspection did not accept a token. An earlier verdict on it is over, also for the case that the issuer cannot be
    /// asked (`stale_if_error`): its last word was no.
    ///
    /// - Parameters:
    ///   - until: Unix seconds for which that is remembered.
    ///   - now: Unix seconds.
    public mutating func reject(_ problem: TokenProblem, token: RawSpan, until: Double, now: Double) {
        self.cache.remove(token)
        guard now < until else { return }
        self.rejected.insert(token: token.array(), value: Rejection(problem: problem, until: until))
    }

    /// These issuers, by name, said no to a token, while others could not be asked: a verdict of one of them is over.
    public mutating func deny(_ token: RawSpan, by issuers: [String]) {
        guard let cached = self.cache.lookup(token)?.token, issuers.contains(cached.principal.issuer) else { return }
        self.cache.remove(token)
    }

    /// Step 6, for the head that was taken last: the route's rules.
    public func authorize(_ token: VerifiedToken, _ bytes: RawSpan, gate: Gate, route: Int) -> Verdict {
        switch gate.authorize(route: route, token: token, bytes: bytes, captures: self.captures) {
        case .success(let permit): .permit(permit, token)
        case .failure(let refusal): .refuse(refusal, token)
        }
    }

    // MARK: - Step 7

    /// Appends the upstream's head for the head that was taken last. Returns whether the client had sent a header that
    /// speaks of identity. With `isTrusted` the client is a proxy whose forwarding lines are believed.
    public mutating func compose(
        _ bytes: RawSpan, permit: Permit, token: VerifiedToken?, gate: Gate, forwardToken: Bool, client: ClientFacts,
        isTrusted: Bool = false, upgrade: ProtocolSwitch? = nil, into output: inout [UInt8]
    ) -> Bool {
        UpstreamHead.compose(
            bytes, self.head, self.target, permit: permit, token: token, identity: gate.identity,
            forwardToken: forwardToken, client: client, isTrusted: isTrusted, upgrade: upgrade,
            identifiers: &self.identifiers, into: &output)
    }

    /// What becomes of the Upgrade of the head that was taken last, on a route that lets it through.
    public func protocolSwitch(_ bytes: RawSpan, gate: Gate, route: Int) -> ProtocolSwitch.Decision {
        ProtocolSwitch.decide(bytes, self.head, others: gate.rules(of: route).upgrades)
    }

    /// Appends the address of the client that a trusted proxy speaks for in the head that was taken last; nothing if it
    /// names none. Changes nothing; `mutating` so that the head is used where it stands.
    public mutating func appendClient(_ bytes: RawSpan, trusted: TrustedProxies, to output: inout [UInt8]) {
        guard let place = trusted.client(bytes, self.head) else { return }
        output.append(bytes.slice(place))
    }

    /// Whether the head that was taken last has fields that speak of identity: for requests that are refused.
    public func spoofs(_ bytes: RawSpan, gate: Gate) -> Bool {
        gate.spoofs(bytes, self.head)
    }

    // MARK: - Identifiers

    // They change nothing; `mutating` so that the ids are used where they stand and not copied.

    /// Appends the request id of the head that was taken last.
    public mutating func appendRequestID(to output: inout [UInt8]) { self.identifiers.appendRequestID(to: &output) }
    /// Appends the trace id of the head that was taken last.
    public mutating func appendTraceID(to output: inout [UInt8]) { self.identifiers.appendTraceID(to: &output) }

    /// What the head that was taken last says of its trace; nil where the trace begins here.
    public mutating func traceParent(_ bytes: RawSpan) -> TraceContext? {
        self.identifiers.keptTrace ? TraceContext(traceparent: bytes.slice(self.head.traceparent)) : nil
    }

    /// The `tracestate` of the head that was taken last; empty if there is none, nil if it is malformed.
    public mutating func traceState(_ bytes: RawSpan) -> [UInt8]? {
        TraceState.joined(bytes, self.head.fields.filter { $0.kind == .tracestate }.map(\.value))
    }

    /// The host and port that the head that was taken last is for, as the client writes them.
    public mutating func hostText(_ bytes: RawSpan) -> [UInt8] { bytes.slice(self.head.host).array() }

    /// The halves of the trace's id of the head that was taken last.
    public mutating func traceNumbers() -> (high: UInt64, low: UInt64) { self.identifiers.trace }

    /// An id for a span: never 0.
    public mutating func makeSpanID() -> UInt64 { self.identifiers.makeSpanID() }

    /// Has the request whose head was taken last go on in this trace, under this span.
    public mutating func continueTrace(_ context: TraceContext, keepsState: Bool) {
        self.identifiers.continueTrace(context, keepsState: keepsState)
    }

    /// Makes an id for a request whose head could not be read.
    public mutating func makeRequestID() -> [UInt8] {
        self.identifiers.assignNew()
        return self.identifiers.requestID
    }

    // MARK: - Cache

    /// Verified tokens held.
    public var cachedTokens: Int { self.cache.count }

    /// Rejected tokens held.
    public var rejectedTokens: Int { self.rejected.count }

    /// Forgets every verdict.
    public mutating func forgetTokens() {
        self.cache.removeAll()
        self.rejected.removeAll()
    }

    /// Forgets the tokens that the condition holds for.
    public mutating func forgetTokens(where condition: (VerifiedToken) -> Bool) {
        self.cache.removeAll { condition($0.token) }
    }

    // MARK: - Revocations

    /// Changes what is known of revocations: tokens in the cache are held against it at their next request.
    public mutating func withdraw(_ change: (inout Withdrawals) -> Void) {
        change(&self.withdrawals)
    }

    /// Whether a token still counts, for what goes on longer than a request; nil if it does.
    public func refusal(for terms: TokenTerms) -> Refusal? { self.withdrawals.refusal(for: terms) }

    /// Revocations that hold.
    public var revocations: Int { self.withdrawals.set.count }
}
