import NIOCore
import PosternCore

// Step 5 where the token's issuer has to be asked.
extension DownstreamHandler {
    /// Has the token introspected, or concludes from what that found out. Returns false while the answer is waited for; the
    /// buffer is then untouched.
    func introspect(
        _ issuers: [TrustedIssuer], _ range: ByteRange, _ facts: Intake.Facts, _ buffer: inout ByteBuffer
    ) -> Bool {
        // A finding of an earlier configuration, which would have asked others, says nothing.
        if let finding = self.finding.take(), finding.asked == issuers {
            self.conclude(finding.verdict, range, facts, &buffer)
            return true
        }
        self.note { $0.verificationStarted() }
        let timeout = issuers.compactMap(\.introspection?.timeout).max() ?? 0
        // The flight keeps to the timeout itself; this is for the case that its end gets lost.
        self.setDeadline(self.loop.now &+ timeout &+ 100_000_000)
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        let number = self.requestNumber
        self.loop.services.introspection.verify(
            buffer.readableBytesSpan.slice(range).array(), issuers: issuers, loop: self.loop,
            trace: self.questionTrace
        ) { bound.value.introspected($0, request: number) }
        return false
    }

    /// The answer is there: the request that waits for it is judged again, with it.
    private func introspected(_ finding: IntrospectionFinding, request number: UInt64) {
        guard self.exchange.state == .verifying, number == self.requestNumber else { return }
        self.finding = finding
        self.note { $0.verificationEnded() }
        self.processPending()
    }

    /// Ends step 5 with a verdict.
    private func conclude(
        _ verdict: IntrospectionVerdict, _ range: ByteRange, _ facts: Intake.Facts, _ buffer: inout ByteBuffer
    ) {
        switch verdict {
        case .accepted(let accepted):
            self.record.source = accepted.source
            self.accept(accepted.principal, accepted.terms, range, facts, &buffer)
        case .rejected(let problem, let until, let source):
            self.loop.intake.reject(
                problem, token: buffer.readableBytesSpan.slice(range), until: until, now: self.loop.wallTime)
            self.record.source = source
            self.refuse(Refusal(problem), facts, &buffer)
        case .unavailable(let issuers):
            self.loop.intake.deny(buffer.readableBytesSpan.slice(range), by: issuers)
            if !self.serveStale(range, facts, &buffer) { self.refuse(.issuerUnavailable, facts, &buffer) }
        }
    }

    /// Goes on with the last verdict on the token, if the issuer's `stale_if_error` lets it.
    private func serveStale(_ range: ByteRange, _ facts: Intake.Facts, _ buffer: inout ByteBuffer) -> Bool {
        let stale = self.loop.intake.stale(
            buffer.readableBytesSpan.slice(range), gate: self.snapshot.gate, now: self.loop.wallTime)
        guard let stale else { return false }
        self.loop.metrics.staleServed &+= 1
        self.record.source = .local
        switch stale {
        case .success(let token): self.authorize(token, facts, &buffer)
        case .failure(let refusal): self.refuse(refusal, facts, &buffer)
        }
        return true
    }
}
