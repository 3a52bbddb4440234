import PosternCore

/// Whether the process can serve, and what is missing.
struct Readiness: Sendable {
    /// Whether every listener is open.
    var listening: Bool
    var draining: Bool
    /// Names of issuers whose keys have not been had.
    var issuersWithoutKeys: [String]
    /// Whether an issuer has `revocation: required`, and revocations are not heard of.
    var missesRevocations = false
    /// The service behind the proxy, if it is asked whether it is well and did not say so.
    var unhealthyUpstream: String?

    var isReady: Bool {
        self.listening && !self.draining && self.issuersWithoutKeys.isEmpty && !self.missesRevocations
            && self.unhealthyUpstream == nil
    }

    var json: JSONValue {
        var missing: [JSONValue] = self.issuersWithoutKeys.map {
            .object([.init(name: "part", value: .string("keys")), .init(name: "issuer", value: .string($0))])
        }
        if self.missesRevocations { missing.append(.object([.init(name: "part", value: .string("revocations"))])) }
        if let url = self.unhealthyUpstream {
            missing.append(
                .object([.init(name: "part", value: .string("upstream")), .init(name: "upstream", value: .string(url))])
            )
        }
        if !self.listening { missing.append(.object([.init(name: "part", value: .string("listeners"))])) }
        if self.draining { missing.append(.object([.init(name: "part", value: .string("draining"))])) }
        return .object([
            .init(name: "status", value: .string(self.isReady ? "ready" : "not ready")),
            .init(name: "missing", value: .array(missing)),
        ])
    }
}
