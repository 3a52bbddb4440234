@testable import PosternCore

/// What `Intake` must come to: the same steps, each by itself in fresh memory, with the credential checked whole
/// before anything is looked up.
struct IntakeReference {
    private var identifiers = Identifiers(random: IdentifierSource(seed: 1, 2))

    /// - Parameter caller: who a token speaks for; nil: it is to be verified.
    mutating func take(_ bytes: [UInt8], gate: Gate, caller: (String) -> Principal?) -> Judgement {
        var result = Judgement()
        let read: ReadRequest
        do throws(HTTPProblem) {
            guard let complete = try readRequest(bytes) else { return result }
            read = complete
        } catch {
            return Judgement(verdict: .problem(error))
        }
        result.facts = Self.facts(read.head)
        self.identifiers.assign(bytes.span.bytes, read.head)
        result.requestID = self.identifiers.requestID
        result.traceID = self.identifiers.traceID
        var target = CheckedTarget(path: .none)
        var captures = Captures()
        let admission = gate.admit(
            bytes.span.bytes, read.head, route: &result.route, target: &target, captures: &captures, unchecked: false)
        let (verdict, token) = Self.decide(admission, read, captures, gate: gate, route: result.route, caller: caller)
        result.verdict = verdict
        if case .permit(let permit, _) = verdict {
            result.spoofed = UpstreamHead.compose(
                bytes.span.bytes, read.head, target, permit: permit, token: token, identity: gate.identity,
                forwardToken: gate.rules(of: result.route).forwardToken, client: intakeClient,
                identifiers: &self.identifiers, into: &result.upstream)
        } else {
            result.spoofed = gate.spoofs(bytes.span.bytes, read.head)
        }
        return result
    }

    private static func decide(
        _ admission: Gate.Admission, _ read: ReadRequest, _ captures: Captures, gate: Gate, route: Int,
        caller: (String) -> Principal?
    ) -> (Judgement.Verdict, VerifiedToken?) {
        switch admission {
        case .permit(let permit):
            return (.permit(permit, nil), nil)
        case .answer(let answer):
            return (.answer(answer), nil)
        case .refuse(let refusal):
            return (.refuse(refusal, nil), nil)
        case .verify(let range):
            guard let principal = caller(read.text(range)) else { return (.verify(range), nil) }
            switch gate.verifiedToken(for: principal) {
            case .failure(let refusal):
                return (.refuse(refusal, nil), nil)
            case .success(let token):
                let decision = gate.authorize(
                    route: route, token: token, bytes: read.bytes.span.bytes, captures: captures)
                switch decision {
                case .success(let permit): return (.permit(permit, Judgement.Caller(token)), token)
                case .failure(let refusal): return (.refuse(refusal, Judgement.Caller(token)), nil)
                }
            }
        }
    }

    private static func facts(_ head: RequestHead) -> Intake.Facts {
        var facts = Intake.Facts()
        facts.method = head.method
        facts.minorVersion = head.minorVersion
        facts.keepAlive = head.keepAlive
        facts.expectsContinue = head.expectsContinue
        facts.upgrade = head.upgrade
        facts.framing = head.framing
        facts.end = head.end
        facts.methodToken = head.methodToken
        facts.target = head.target
        return facts
    }
}

extension Judgement {
    /// Whether this is what the reference came to. The intake looks for a second token in the query before it holds an
    /// unknown token against the grammar; a request with both faults is refused with the same code, and may be told of
    /// either.
    func agrees(with expected: Judgement) -> Bool {
        guard self != expected else { return true }
        guard case .refuse(let refusal, nil) = self.verdict, case .refuse(let wanted, nil) = expected.verdict,
            refusal == Refusal(.invalidRequest, CredentialProblem.twoPlaces.detail),
            wanted == Refusal(.invalidRequest, CredentialProblem.malformed.detail)
        else { return false }
        var same = self
        same.verdict = expected.verdict
        return same == expected
    }
}
