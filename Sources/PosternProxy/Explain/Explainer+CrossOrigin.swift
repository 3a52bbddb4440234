import PosternCore

// What a browser makes of the answer: preflights, and who may read.
extension Explainer {
    /// Finds the request's origin among the allowed ones.
    mutating func noteOrigin(_ bytes: RawSpan) {
        self.origin = self.snapshot.gate.crossOrigin?.origin(bytes, self.head) ?? CrossOrigin.noOrigin
    }

    /// The CORS lines of a refusal.
    var refusalLines: [UInt8] { self.snapshot.gate.crossOrigin?.refusalLines(for: self.origin) ?? [] }

    /// Ends the explanation with the proxy's own answer to a preflight.
    mutating func noteAnswer(_ bytes: RawSpan, _ answer: PreflightAnswer) {
        let origin = bytes.slice(self.head.origin).string()
        let route = self.routeFacts(bytes)
        self.explanation.add(
            .route, .passed,
            route.isEmpty ? ["no route declares what is asked for: the request itself is refused"] : route)
        for stage in [Explanation.Stage.credential, .token, .policy, .identity] {
            self.explanation.add(stage, .notNeeded)
        }
        let asked = Preflight(bytes, self.head).map { bytes.slice($0.method).string() } ?? ""
        let facts = ["a preflight for \(asked) from \(origin): the proxy answers it, the service does not hear of it"]
        self.explanation.add(
            .exchange, answer.isAllowed ? .passed : .refused,
            answer.isAllowed ? facts : facts + ["\(origin) is not in cors.origins: the answer allows nothing"])
        let text = String(decoding: answer.bytes(requestID: Array("(new)".utf8), close: false), as: UTF8.self)
        self.explanation.answered = Explanation.Answered(
            isAllowed: answer.isAllowed, status: 204,
            headers: text.split(separator: "\r\n").dropFirst().map(String.init))
    }

    /// A preflight that the service answers.
    mutating func noteForwardedPreflight(_ bytes: RawSpan) {
        self.explanation.add(.credential, .notNeeded, ["a preflight goes to the service without a token"])
        self.explanation.add(.token, .notNeeded)
        self.explanation.add(.policy, .notNeeded, ["cors: {preflight: forward}, and no deny stands here"])
        self.explanation.add(.identity, .passed, ["nobody is named to the service"] + self.strippedFacts(bytes))
    }

    /// Whether pages of the request's origin may read the answer; nothing without an origin, or where that is left to the
    /// service.
    func originFacts(_ bytes: RawSpan) -> [String] {
        guard self.snapshot.answersCrossOrigin, self.head.originCount > 0 else { return [] }
        let origin = bytes.slice(self.head.origin).string()
        return [
            self.origin == CrossOrigin.noOrigin
                ? "\(origin) is not in cors.origins: a browser keeps the answer from its pages"
                : "pages of \(origin) may read the answer"
        ]
    }
}
