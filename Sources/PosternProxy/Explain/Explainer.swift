import PosternCore
import PosternCrypto

/// Takes a request through the stages of a decision with the very functions that the proxy uses, and notes what each
/// of them found.
struct Explainer {
    let snapshot: Snapshot
    let caller: ExplainRequest.Caller
    /// The issuers' keys, by issuer index.
    let keys: [ExplainKeys]
    /// What issuers said that had to be asked.
    let introspection: ExplainIntrospection?
    /// Unix seconds.
    let now: Double
    var explanation: Explanation
    var head = RequestHead()
    var target = CheckedTarget(path: .none)
    var captures = Captures()
    var route = PolicyCatalogue.undeclared
    /// Which of the allowed origins the request comes from.
    var origin = CrossOrigin.noOrigin

    static func explain(
        _ request: ExplainRequest, snapshot: Snapshot, keys: [ExplainKeys], introspection: ExplainIntrospection? = nil,
        now: Double
    ) -> Explanation {
        let path = String(request.target.prefix { $0 != "?" })
        var explainer = Explainer(
            snapshot: snapshot, caller: request.caller, keys: keys, introspection: introspection, now: now,
            explanation: Explanation(method: request.method, path: path))
        let bytes = request.bytes
        do throws(Refusal) {
            try explainer.run(bytes.span.bytes)
        } catch {
            explainer.noteOrigin(bytes.span.bytes)
            explainer.note(bytes.span.bytes, error)
        }
        explainer.explanation.complete()
        return explainer.explanation
    }

    private mutating func run(_ bytes: RawSpan) throws(Refusal) {
        try self.readHead(bytes)
        switch try self.admit(bytes) {
        case .permit(let permit):
            try self.forward(bytes, permit, token: nil)
        case .verify(let range):
            let principal = try self.verify(bytes, range)
            let token = try self.makeReady(principal)
            let permit = try self.authorize(bytes, token)
            self.noteIdentity(bytes, token)
            try self.forward(bytes, permit, token: token)
        case .answer(let answer):
            self.noteAnswer(bytes, answer)
        case .refuse(let refusal):
            throw refusal
        }
    }

    /// Ends the explanation with the answer that the client would get.
    private mutating func note(_ bytes: RawSpan, _ refusal: Refusal) {
        self.explanation.refusal = refusal
        let answer = self.snapshot.answer.bytes(
            for: refusal, requestID: Array("(new)".utf8), toHead: false, close: refusal.code.closesConnection,
            crossOrigin: self.refusalLines, grpc: self.grpc(bytes))
        let text = String(decoding: answer, as: UTF8.self)
        // The first line is the status; the body follows the empty line.
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let shown = ["www-authenticate:", "allow:", "retry-after:", "access-control-", "vary:", "grpc-"]
        self.explanation.answerHeaders = lines.prefix { !$0.isEmpty }.map(String.init).filter { line in
            shown.contains { line.lowercased().hasPrefix($0) }
        }
        let body = lines.drop { !$0.isEmpty }.dropFirst().joined(separator: "\r\n")
        self.explanation.problem = try? JSONReader.parse(Array(body.utf8).span.bytes)
    }

    /// The content-type of a gRPC call; nil for every other request, and where the head could not be read.
    private func grpc(_ bytes: RawSpan) -> GRPCContentType? {
        guard self.explanation.steps.first?.outcome == .passed, !self.head.contentType.isEmpty else { return nil }
        return GRPCContentType(bytes.slice(self.head.contentType))
    }

    // MARK: - http1

    private mutating func readHead(_ bytes: RawSpan) throws(Refusal) {
        var scanner = HeadScanner()
        do throws(HTTPProblem) {
            switch scanner.scan(bytes, limits: self.snapshot.headLimits) {
            case .complete(let end):
                try self.head.read(bytes, lines: scanner.lines, end: end, limits: self.snapshot.headLimits)
            case .incomplete:
                throw .headTooLarge
            case .problem(let problem):
                throw problem
            }
        } catch {
            let refusal = Refusal(error)
            self.explanation.add(.http1, .refused, [refusal.detail])
            throw refusal
        }
        let fields = TerminalText.count(self.head.fields.count, "header field")
        let body =
            switch self.head.framing {
            case .none: "no body"
            case .length(let length): "a body of \(length) bytes"
            case .chunked: "a chunked body"
            case .untilClose: "a body until the connection closes"
            }
        var facts = ["\(self.explanation.method) with \(fields) and \(body)"]
        let registered = self.explanation.method.uppercased()
        if self.head.method == .other, Method.allCases.contains(where: { $0 != .other && $0.name == registered }) {
            facts.append("methods are case-sensitive: this is not \(registered)")
        }
        self.explanation.add(.http1, .passed, facts)
    }

    // MARK: - target, route, credential

    private mutating func admit(_ bytes: RawSpan) throws(Refusal) -> Gate.Admission {
        let gate = self.snapshot.gate
        let admission = gate.admit(
            bytes, self.head, route: &self.route, target: &self.target, captures: &self.captures)
        if self.route >= 0 { self.explanation.route = gate.rules(of: self.route).label }
        guard case .refuse(let refusal) = admission else {
            self.notePassed(bytes, admission)
            return admission
        }
        let stage = Explanation.Stage(refusal.code)
        if stage != .target { self.noteTarget(bytes) }
        if stage == .credential { self.noteRoute(bytes) }
        var facts = [refusal.detail]
        switch stage {
        case .target: facts += self.hints(for: refusal)
        case .route: facts = self.routeFacts(bytes) + facts + self.neighbours(bytes, refusal)
        default: facts += self.credentialHints(bytes, refusal)
        }
        self.explanation.add(stage, .refused, facts)
        throw refusal
    }

    private mutating func notePassed(_ bytes: RawSpan, _ admission: Gate.Admission) {
        self.noteTarget(bytes)
        if case .answer = admission { return }
        self.noteRoute(bytes)
        let given = self.caller != .headers || self.head.authorizationCount > 0
        switch admission {
        case .permit(let permit) where permit.isPreflight:
            self.noteForwardedPreflight(bytes)
        case .verify(let range):
            let words =
                if case .claims = self.caller { "claims, given in place of a token" } else {
                    "one bearer token of \(range.count) bytes"
                }
            self.explanation.add(.credential, .passed, [words])
        default:
            let isOptional = if case .optional = self.snapshot.gate.policy.compiled(self.route) { true } else { false }
            let fact =
                isOptional
                ? "none was sent; the route takes callers without one"
                : given ? "not looked at: the route is public" : "none is needed: the route is public"
            self.explanation.add(.credential, isOptional ? .passed : .notNeeded, [fact])
            self.explanation.add(.token, .notNeeded)
            self.explanation.add(.policy, .notNeeded, ["the route asks nothing of an anonymous caller"])
            self.explanation.add(
                .identity, .passed, ["nobody is named to the service"] + self.strippedFacts(bytes))
        }
    }
}
