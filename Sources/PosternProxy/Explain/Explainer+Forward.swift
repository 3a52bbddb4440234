import PosternCore

// The last step: what the service gets.
extension Explainer {
    mutating func forward(_ bytes: RawSpan, _ permit: Permit, token: VerifiedToken?) throws(Refusal) {
        let rules = self.snapshot.gate.rules(of: permit.route)
        let upgrade = ProtocolSwitch.decide(bytes, self.head, others: rules.upgrades)
        if let refusal = self.refusal(rules, upgrade) {
            self.explanation.add(.exchange, .refused, [refusal.detail])
            throw refusal
        }
        let configuration = self.snapshot.configuration
        let declared = permit.route >= 0 ? configuration.routes[permit.route].upstream : nil
        let service = declared ?? configuration.upstream
        let upstream = service.url
        var facts = ["goes to \(upstream)"]
        if let tls = service.tls { facts.append(Self.verification(tls)) }
        if let spoken = Self.spoken(with: service) { facts.append(spoken) }
        if let health = service.health {
            facts.append("refused at once while GET \(health.path) there has failed \(health.failures) times in a row")
        }
        facts.append("the service has \(TimeText.milliseconds(rules.responseTimeout)) to answer")
        if let limit = rules.bodyLimit { facts.append("a body may have \(limit) bytes") }
        if !configuration.trustedProxies.isEmpty {
            facts.append("from a peer in trusted_proxies, its own X-Forwarded-* go on, with its address appended")
        }
        if configuration.tracing != nil {
            facts.append("a request that is recorded goes on with a traceparent of its own span")
        }
        facts += self.tunnelFacts(upgrade, token)
        self.noteOrigin(bytes)
        facts += self.originFacts(bytes)
        let forwarded = self.compose(
            bytes, permit, token, forwardToken: rules.forwardToken, upgrade: upgrade.protocolSwitch, upstream: upstream)
        self.explanation.add(.exchange, .passed, facts)
        self.explanation.forwarded = forwarded
    }

    /// What is spoken with a service; nil: HTTP/1.1.
    private static func spoken(with service: Configuration.Upstream) -> String? {
        switch service.applicationProtocol {
        case .http1: nil
        case .h2: "speaks HTTP/2 with it"
        case .auto where service.tls != nil: "speaks HTTP/2 with it if ALPN agrees, else HTTP/1.1"
        case .auto: "speaks HTTP/1.1 with it: without TLS nothing else can be agreed on"
        }
    }

    /// How a service shows that it is the one that is meant.
    private static func verification(_ tls: Configuration.ClientTLS) -> String {
        let name = tls.serverName ?? "the address of the URL"
        let authority = tls.authorities.map { "an authority in \($0.path)" } ?? "an authority of the system"
        return "over TLS: its certificate must be for \(name) and by \(authority)"
    }

    /// What is refused although the policy permits it.
    private func refusal(_ rules: RouteRules, _ upgrade: ProtocolSwitch.Decision) -> Refusal? {
        if case .refused(let refusal) = upgrade { return refusal }
        if case .length(let length) = self.head.framing, let limit = rules.bodyLimit, length > limit {
            return .bodyTooLarge
        }
        return nil
    }

    /// What a change of protocol leads to.
    private func tunnelFacts(_ upgrade: ProtocolSwitch.Decision, _ token: VerifiedToken?) -> [String] {
        guard self.head.upgrade else { return [] }
        guard let asked = upgrade.protocolSwitch else {
            return ["the Upgrade is taken out: the route's upgrade does not name what it asks for"]
        }
        let configuration = self.snapshot.configuration
        var facts = ["asks the service for \(String(decoding: asked.name, as: UTF8.self)): a tunnel after its 101"]
        facts.append("closed after \(TimeText.milliseconds(configuration.timeouts.tunnelIdle)) without a byte")
        if token != nil {
            facts.append(
                configuration.tunnelAtExpiry == .close
                    ? "closed when the token expires or is revoked" : "goes on when the token expires or is revoked")
        }
        return facts
    }

    private func compose(
        _ bytes: RawSpan, _ permit: Permit, _ token: VerifiedToken?, forwardToken: Bool, upgrade: ProtocolSwitch?,
        upstream: String
    ) -> Explanation.Forwarded {
        var identifiers = Identifiers(random: IdentifierSource(seed: 0, 0))
        identifiers.assign(bytes, self.head)
        var output: [UInt8] = []
        // With listeners of both kinds it depends on where the request comes in; the first speaks for them.
        let isSecure = self.snapshot.configuration.listen.first?.tls != nil
        let client = ClientFacts(
            address: Array("(the client's address)".utf8), scheme: isSecure ? "https" : "http")
        _ = UpstreamHead.compose(
            bytes, self.head, self.target, permit: permit, token: token, identity: self.snapshot.gate.identity,
            forwardToken: forwardToken, client: client, upgrade: upgrade, identifiers: &identifiers, into: &output)
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

extension ProtocolSwitch.Decision {
    /// What the upstream is asked for, if anything.
    fileprivate var protocolSwitch: ProtocolSwitch? {
        if case .allowed(let upgrade) = self { upgrade } else { nil }
    }
}
