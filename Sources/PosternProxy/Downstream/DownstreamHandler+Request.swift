import NIOCore
import PosternCore
import PosternCrypto

// Reads heads and decides: steps 1 to 7 of 3-behaviour.
extension DownstreamHandler {
    /// A head was read and judged. Returns whether there is more to do with the buffer: not while the request waits for
    /// something.
    func headTaken(
        _ buffer: inout ByteBuffer, _ facts: Intake.Facts, route: Int, _ verdict: Intake.Verdict
    ) -> Bool {
        self.noteHead(buffer, facts)
        self.record.route = route
        switch verdict {
        case .permit(let permit, let token):
            self.noteCached(token)
            self.forward(permit, token, facts, &buffer)
        case .refuse(let refusal, let token):
            self.noteCached(token)
            self.refuse(refusal, facts, &buffer)
        case .answer(let answer):
            self.answer(answer, facts, &buffer)
        case .rejected(let problem):
            self.loop.metrics.cacheRejections &+= 1
            self.record.source = .local
            self.refuse(Refusal(problem), facts, &buffer)
        case .verify(let range):
            return self.verify(range, facts, &buffer)
        }
        return true
    }

    /// Takes over what outlives the head's bytes.
    private func noteHead(_ buffer: ByteBuffer, _ facts: Intake.Facts) {
        self.toHead = facts.method == .head
        self.minorVersion = facts.minorVersion
        self.record.method = facts.method
        self.record.origin = facts.origin
        self.record.grpc = facts.grpc
        self.record.bytesIn = Int64(facts.end)
        self.note {
            $0.headRead(
                keepAlive: facts.keepAlive, hasBody: facts.framing != .none, expectsContinue: facts.expectsContinue,
                mayRepeat: facts.method.isIdempotent && facts.framing == .none, asksForSwitch: facts.upgrade)
        }
        if self.loop.tracer != nil { self.noteTrace(buffer, facts) }
        if self.snapshot.trustedProxies != nil { self.noteProxied(buffer) }
        guard self.snapshot.logAccess != .off else { return }
        var texts = ExchangeTexts()
        swap(&texts, &self.texts)
        texts.take(
            &self.loop.intake, method: buffer.readableBytesSpan.slice(facts.methodToken),
            target: buffer.readableBytesSpan.slice(facts.target))
        swap(&texts, &self.texts)
    }

    /// The verdict on the token was in the cache, if there was a token.
    private func noteCached(_ token: VerifiedToken?) {
        guard let token else { return }
        self.loop.metrics.cacheHits &+= 1
        self.record.source = .local
        self.record.token = token
    }

    // MARK: - Step 5: the token

    /// Verifies the token in `range`. Returns false while the verdict waits for keys or for an issuer's answer; the buffer
    /// is then untouched.
    private func verify(_ range: ByteRange, _ facts: Intake.Facts, _ buffer: inout ByteBuffer) -> Bool {
        let now = self.loop.wallTime
        if self.trace != nil { self.traceVerification() }
        if self.finding == nil, !self.keysWereRefetched { self.loop.metrics.cacheMisses &+= 1 }
        let verdict = TokenVerification.verify(
            buffer.readableBytesSpan.slice(range), snapshot: self.snapshot, keys: self.loop.keys, now: now)
        // A signature takes longer than anything else that a turn of the loop does.
        self.loop.readClock()
        switch verdict {
        case .valid(let principal, let issuer):
            self.record.source = .jwt
            let terms = self.snapshot.issuers[issuer].terms(
                for: principal, token: buffer.readableBytesSpan.slice(range))
            self.accept(principal, terms, range, facts, &buffer)
        case .introspect(let issuers):
            return self.introspect(issuers.map { self.snapshot.issuers[$0] }, range, facts, &buffer)
        case .invalid(let problem):
            self.refuse(Refusal(problem), facts, &buffer)
        case .unavailable(let issuer):
            return self.waitForKeys(issuer, keyID: nil, facts, &buffer)
        case .unknownKey(let issuer, let keyID):
            return self.waitForKeys(issuer, keyID: keyID, facts, &buffer)
        }
        return true
    }

    /// The token was verified.
    func accept(
        _ principal: Principal, _ terms: TokenTerms, _ range: ByteRange, _ facts: Intake.Facts,
        _ buffer: inout ByteBuffer
    ) {
        let accepted = self.loop.intake.accept(
            principal, token: buffer.readableBytesSpan.slice(range), terms: terms, gate: self.snapshot.gate,
            now: self.loop.wallTime)
        switch accepted {
        case .success(let token): self.authorize(token, facts, &buffer)
        case .failure(let refusal): self.refuse(refusal, facts, &buffer)
        }
    }

    /// The keys for a token are not at hand. Waits for a fetch if one is due, once; else answers.
    private func waitForKeys(
        _ issuer: Int, keyID: String?, _ facts: Intake.Facts, _ buffer: inout ByteBuffer
    ) -> Bool {
        let refusal = keyID == nil ? Refusal.keysUnavailable : Refusal(TokenProblem.unknownKey)
        guard !self.keysWereRefetched else {
            self.keysWereRefetched = false
            self.refuse(refusal, facts, &buffer)
            return true
        }
        self.note { $0.verificationStarted() }
        let timeout = self.snapshot.issuers[issuer].fetchTimeout
        self.setDeadline(self.loop.now &+ timeout &+ 100_000_000)
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        let number = self.requestNumber
        self.loop.services.keys.refetch(
            issuer: self.snapshot.issuers[issuer].keysIdentity, keyID: keyID, eventLoop: self.loop.eventLoop
        ) { bound.value.keysArrived(request: number) }
        return false
    }

    /// A fetch of keys ended, well or not, or was not allowed: the request is judged again with what is there now.
    private func keysArrived(request number: UInt64) {
        guard self.exchange.state == .verifying, number == self.requestNumber else { return }
        self.keysWereRefetched = true
        self.note { $0.verificationEnded() }
        self.processPending()
    }

    // MARK: - Steps 6 and 7: rules, identity, forward

    func authorize(_ token: VerifiedToken, _ facts: Intake.Facts, _ buffer: inout ByteBuffer) {
        self.record.token = token
        if self.trace != nil { self.endVerification(nil) }
        let verdict = self.loop.intake.authorize(
            token, buffer.readableBytesSpan, gate: self.snapshot.gate, route: self.record.route)
        switch verdict {
        case .permit(let permit, _): self.forward(permit, token, facts, &buffer)
        case .refuse(let refusal, _): self.refuse(refusal, facts, &buffer)
        case .verify, .rejected, .answer: preconditionFailure("a verified token is judged, never verified again")
        }
    }

    private func forward(
        _ permit: Permit, _ token: VerifiedToken?, _ facts: Intake.Facts, _ buffer: inout ByteBuffer
    ) {
        let loop = self.loop
        let snapshot = self.snapshot
        let gate = snapshot.gate
        let rules = gate.limits(of: permit.route)
        self.keysWereRefetched = false
        self.finding = nil
        if facts.upgrade,
            let refusal = self.prepareTunnel(buffer.readableBytesSpan, route: permit.route, token: token)
        {
            return self.refuse(refusal, facts, &buffer)
        }
        if case .length(let length) = facts.framing, let limit = rules.bodyLimit, length > limit {
            return self.refuse(.bodyTooLarge, facts, &buffer)
        }
        if let trace { self.traceUpstream(trace, loop.pools[rules.upstream].upstream) }
        var head = loop.takeBuffer()
        let spoofed = loop.intake.compose(
            buffer.readableBytesSpan, permit: permit, token: token, gate: gate, forwardToken: rules.forwardToken,
            client: self.client, isTrusted: self.record.isProxied, upgrade: self.tunnel?.upgrade, into: &head)
        self.heldHead = head
        if spoofed { self.noteSpoofing() }
        self.responseTimeout = rules.responseTimeout
        self.bodyLimit = rules.bodyLimit
        let pool = loop.pools[rules.upstream]
        if self.pool !== pool { self.pool = pool }
        self.body = BodyDecoder(facts.framing, trailerLimit: snapshot.headLimits.head)
        self.bodyIsChunked = facts.framing == .chunked
        self.bodyBytes = 0
        buffer.moveReaderIndex(forwardBy: facts.end)
        loop.countDecision(route: snapshot.labelNumber(of: permit.route), LoopMetrics.permit)
        let retries = snapshot.upstreams[rules.upstream].retries
        self.step { $0.permitted(retries: retries) }
    }

    // MARK: - Refusals

    func refuseHead(_ problem: HTTPProblem) {
        self.toHead = false
        let refusal = Refusal(problem)
        self.refusal = refusal
        self.step { $0.headRefused(refusal.code) }
    }

    /// Refuses a request whose head was read: it is taken off the buffer, with its body if that came whole.
    func refuse(_ refusal: Refusal, _ facts: Intake.Facts, _ buffer: inout ByteBuffer) {
        if self.trace != nil { self.endVerification(refusal.code) }
        self.keysWereRefetched = false
        self.finding = nil
        if self.loop.intake.spoofs(buffer.readableBytesSpan, gate: self.snapshot.gate) { self.noteSpoofing() }
        buffer.moveReaderIndex(forwardBy: facts.end)
        var skipped = facts.framing == .none
        if case .length(let length) = facts.framing, !facts.expectsContinue, length <= Int64(buffer.readableBytes) {
            buffer.moveReaderIndex(forwardBy: Int(length))
            skipped = true
        }
        self.refusal = refusal
        self.step { $0.refused(refusal.code, bodySkipped: skipped) }
    }

    func noteSpoofing() {
        if !self.record.spoofed { self.loop.metrics.spoofedRequests &+= 1 }
        self.record.spoofed = true
    }
}

extension Refusal {
    static let bodyTooLarge = Refusal(.contentTooLarge, "The request body is larger than this route accepts.")
}
