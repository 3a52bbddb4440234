import PosternCore

// The last step: what the service gets.
extension Explainer {
    mutating func forward(_ bytes: RawSpan, _ permit: Permit, token: VerifiedToken?) throws(Refusal) {
        let rules = self.snapshot.gate.rules(of: permit.route)
        if let refusal = self.refusal(rules) {
            self.explanation.add(.exchange, .refused, [refusal.detail])
            throw refusal
        }
        let configuration = self.snapshot.configuration
        let declared = permit.route >= 0 ? configuration.routes[permit.route].upstream : nil
        let upstream = (declared ?? configuration.upstream).url
        var facts = ["goes to \(upstream)"]
        facts.append("the service has \(TimeText.milliseconds(rules.responseTimeout)) to answer")
        if let limit = rules.bodyLimit { facts.append("a body may have \(limit) bytes") }
        self.noteOrigin(bytes)
        facts += self.originFacts(bytes)
        let forwarded = self.compose(bytes, permit, token, forwardToken: rules.forwardToken, upstream: upstream)
        self.explanation.add(.exchange, .passed, facts)
        self.explanation.forwarded = forwarded
    }

    /// What is refused although the policy permits it.
    private func refusal(_ rules: RouteRules) -> Refusal? {
        if self.head.upgrade { return .upgrade }
        if case .length(let length) = self.head.framing, let limit = rules.bodyLimit, length > limit {
            return .bodyTooLarge
        }
        return nil
    }

    private func compose(
        _ bytes: RawSpan, _ permit: Permit, _ token: VerifiedToken?, forwardToken: Bool, upstream: String
    ) -> Explanation.Forwarded {
        var identifiers = Identifiers(random: IdentifierSource(seed: 0, 0))
        identifiers.assign(bytes, self.head)
        var output: [UInt8] = []
        let client = ClientFacts(address: Array("(the client's address)".utf8), scheme: "http")
        _ = UpstreamHead.compose(
            bytes, self.head, self.target, permit: permit, token: token, identity: self.snapshot.gate.identity,
            forwardToken: forwardToken, client: client, identifiers: &identifiers, into: &output)
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\r\n").map(String.init)
        let headers = lines.dropFirst().map { line in
            Self.shown(line, newRequestID: !identifiers.keptRequestID, newTrace: !identifiers.keptTrace)
        }
        return Explanation.Forwarded(
            upstream: upstream, requestLine: Self.withoutQuery(lines.first ?? ""), headers: Array(headers))
    }

    /// A header line without what nobody should see, and without what is another for each request.
    private static func shown(_ line: String, newRequestID: Bool, newTrace: Bool) -> String {
        let name = String(line.prefix { $0 != ":" })
        switch name.lowercased() {
        case "authorization", "cookie": return "\(name): (as sent, not shown)"
        case "x-request-id" where newRequestID: return "\(name): (new)"
        case "traceparent" where newTrace: return "\(name): (new)"
        default: return line
        }
    }

    private static func withoutQuery(_ requestLine: String) -> String {
        guard let mark = requestLine.firstIndex(of: "?"), let end = requestLine.lastIndex(of: " ") else {
            return requestLine
        }
        return requestLine[...mark] + "(query as sent)" + requestLine[end...]
    }
}
