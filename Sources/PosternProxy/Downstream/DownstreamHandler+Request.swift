import NIOCore
import PosternCore
import PosternCrypto

// Reads heads and decides: steps 1 to 7 of 3-behaviour.
extension DownstreamHandler {
    /// A head is complete in `buffer`. Returns whether there is more to do with the buffer: not while the request
    /// waits for something.
    func headComplete(_ buffer: inout ByteBuffer, end: Int) -> Bool {
        let loop = self.loop
        self.snapshot = loop.snapshot
        // A head that waited for keys may be judged under another policy now: its route's number means nothing there.
        self.record.route = ExchangeRecord.notRouted
        let limits = self.snapshot.headLimits
        do throws(HTTPProblem) {
            try loop.head.read(
                buffer.readableBytesSpan, lines: loop.scanner.lines, end: end, limits: limits)
        } catch {
            self.refuseHead(error)
            buffer.moveReaderIndex(to: buffer.writerIndex)
            return false
        }
        self.noteHead(buffer, loop.head)
        let admission = self.snapshot.gate.admit(
            buffer.readableBytesSpan, loop.head, route: &self.record.route, target: &loop.target,
            captures: &loop.captures)
        switch admission {
        case .permit(let permit):
            self.forward(permit, token: nil, &buffer)
        case .refuse(let refusal):
            self.refuse(refusal, &buffer)
        case .verify(let range):
            return self.verify(range, &buffer)
        }
        return true
    }

    /// Takes over what outlives the head's bytes.
    private func noteHead(_ buffer: ByteBuffer, _ head: RequestHead) {
        self.toHead = head.method == .head
        self.minorVersion = head.minorVersion
        self.record.method = head.method
        self.record.bytesIn = Int64(head.end)
        self.exchange.headRead(
            keepAlive: head.keepAlive, hasBody: head.framing != .none, expectsContinue: head.expectsContinue,
            mayRepeat: head.method.isIdempotent && head.framing == .none)
        self.loop.identifiers.assign(buffer.readableBytesSpan, head)
        self.texts.removeAll()
        self.texts.requestID.append(contentsOf: self.loop.identifiers.requestID)
        if self.snapshot.logAccess != .off {
            self.texts.traceID.append(contentsOf: self.loop.identifiers.traceID)
            self.texts.method.append(buffer.readableBytesSpan.slice(head.methodToken))
            self.texts.appendPath(buffer.readableBytesSpan.slice(head.target))
        }
    }

    // MARK: - Step 5: the token

    /// Verifies the token in `range`. Returns false while the verdict waits for keys; the buffer is then untouched.
    private func verify(_ range: ByteRange, _ buffer: inout ByteBuffer) -> Bool {
        let wallTime = self.loop.wallTime
        if let cached = self.cachedToken(range, buffer, wallTime) {
            self.record.source = .local
            self.authorize(cached, &buffer)
            return true
        }
        self.loop.metrics.cacheMisses &+= 1
        let verdict = TokenVerification.verify(
            buffer.readableBytesSpan.slice(range), snapshot: self.snapshot, keys: self.loop.keys, now: wallTime)
        switch verdict {
        case .valid(let principal):
            self.accept(principal, buffer.readableBytesSpan.slice(range).array(), wallTime, &buffer)
        case .invalid(let problem):
            self.refuse(Refusal(problem), &buffer)
        case .unavailable(let issuer):
            return self.waitForKeys(issuer, keyID: nil, &buffer)
        case .unknownKey(let issuer, let keyID):
            return self.waitForKeys(issuer, keyID: keyID, &buffer)
        }
        return true
    }

    private func cachedToken(_ range: ByteRange, _ buffer: ByteBuffer, _ wallTime: Double) -> VerifiedToken? {
        let token = buffer.readableBytesSpan.slice(range)
        guard let cached = self.loop.cache.lookup(token), wallTime < cached.expiresAt else { return nil }
        if !self.snapshot.gate.isCurrent(cached) {
            guard case .success(let renewed) = self.snapshot.gate.verifiedToken(for: cached.principal) else {
                return nil
            }
            self.loop.cache.insert(token: token.array(), value: renewed)
            self.loop.metrics.cacheHits &+= 1
            return renewed
        }
        self.loop.metrics.cacheHits &+= 1
        return cached
    }

    private func accept(_ principal: Principal, _ token: [UInt8], _ wallTime: Double, _ buffer: inout ByteBuffer) {
        self.record.source = .jwt
        switch self.snapshot.gate.verifiedToken(for: principal) {
        case .success(let verified):
            if wallTime < verified.expiresAt { self.loop.cache.insert(token: token, value: verified) }
            self.authorize(verified, &buffer)
        case .failure(let refusal):
            self.refuse(refusal, &buffer)
        }
    }

    /// The keys for a token are not at hand. Waits for a fetch if one is due, once; else answers.
    private func waitForKeys(_ issuer: Int, keyID: String?, _ buffer: inout ByteBuffer) -> Bool {
        let refusal = keyID == nil ? Refusal.keysUnavailable : Refusal(TokenProblem.unknownKey)
        guard !self.keysWereRefetched else {
            self.keysWereRefetched = false
            self.refuse(refusal, &buffer)
            return true
        }
        self.exchange.verificationStarted()
        let timeout = self.snapshot.issuers[issuer].fetchTimeout
        self.setDeadline(self.loop.now &+ timeout &+ 100_000_000)
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        self.loop.services.keys.refetch(
            issuer: self.snapshot.issuers[issuer].keysIdentity, keyID: keyID, eventLoop: self.loop.eventLoop
        ) { bound.value.keysArrived() }
        return false
    }

    /// A fetch of keys ended, well or not, or was not allowed: the request is judged again with what is there now.
    private func keysArrived() {
        guard self.exchange.state == .verifying else { return }
        self.keysWereRefetched = true
        self.exchange.verificationEnded()
        self.processPending()
        self.loop.flush()
    }

    // MARK: - Steps 6 and 7: rules, identity, forward

    private func authorize(_ token: VerifiedToken, _ buffer: inout ByteBuffer) {
        self.record.token = token
        let decision = self.snapshot.gate.authorize(
            route: self.record.route, token: token, bytes: buffer.readableBytesSpan,
            captures: self.loop.captures)
        switch decision {
        case .success(let permit): self.forward(permit, token: token, &buffer)
        case .failure(let refusal): self.refuse(refusal, &buffer)
        }
    }

    private func forward(_ permit: Permit, token: VerifiedToken?, _ buffer: inout ByteBuffer) {
        let loop = self.loop
        let rules = self.snapshot.gate.rules(of: permit.route)
        self.keysWereRefetched = false
        if loop.head.upgrade { return self.refuse(.upgrade, &buffer) }
        if case .length(let length) = loop.head.framing, let limit = rules.bodyLimit, length > limit {
            return self.refuse(.bodyTooLarge, &buffer)
        }
        loop.output.removeAll(keepingCapacity: true)
        let spoofed = UpstreamHead.compose(
            buffer.readableBytesSpan, loop.head, loop.target, permit: permit, token: token,
            identity: self.snapshot.gate.identity, forwardToken: rules.forwardToken, client: self.client,
            identifiers: &loop.identifiers, into: &loop.output)
        if spoofed { self.noteSpoofing() }
        self.rules = rules
        self.pool = loop.pools[rules.upstream]
        self.body = BodyDecoder(loop.head.framing, trailerLimit: self.snapshot.headLimits.head)
        self.bodyIsChunked = loop.head.framing == .chunked
        self.bodyBytes = 0
        buffer.moveReaderIndex(forwardBy: loop.head.end)
        loop.countDecision(route: self.snapshot.labelNumber(of: permit.route), LoopMetrics.permit)
        self.perform(self.exchange.permitted(retries: self.snapshot.upstreams[rules.upstream].retries))
    }

    // MARK: - Refusals

    func refuseHead(_ problem: HTTPProblem) {
        self.toHead = false
        let refusal = Refusal(problem)
        self.refusal = refusal
        self.perform(self.exchange.headRefused(refusal.code))
    }

    /// Refuses a request whose head was read: it is taken off the buffer, with its body if that came whole.
    private func refuse(_ refusal: Refusal, _ buffer: inout ByteBuffer) {
        let head = self.loop.head
        self.keysWereRefetched = false
        if self.snapshot.gate.spoofs(buffer.readableBytesSpan, head) { self.noteSpoofing() }
        buffer.moveReaderIndex(forwardBy: head.end)
        var skipped = head.framing == .none
        if case .length(let length) = head.framing, !head.expectsContinue, length <= Int64(buffer.readableBytes) {
            buffer.moveReaderIndex(forwardBy: Int(length))
            skipped = true
        }
        self.refusal = refusal
        self.perform(self.exchange.refused(refusal.code, bodySkipped: skipped))
    }

    private func noteSpoofing() {
        if !self.record.spoofed { self.loop.metrics.spoofedRequests &+= 1 }
        self.record.spoofed = true
    }
}

extension Refusal {
    static let keysUnavailable = Refusal(
        .issuerUnavailable, "The keys of the token's issuer cannot be had at the moment; try again.")
    static let bodyTooLarge = Refusal(.contentTooLarge, "The request body is larger than this route accepts.")

    /// A token that is not accepted.
    init(_ problem: TokenProblem) {
        if problem == .issuerUnavailable {
            self = .keysUnavailable
        } else {
            self.init(.invalidToken, problem.description)
        }
    }
}
