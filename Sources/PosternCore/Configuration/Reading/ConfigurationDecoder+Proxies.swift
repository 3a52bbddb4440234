// Who may say whom it speaks for.
extension ConfigurationDecoder {
    mutating func trustedProxies(_ root: Field) -> TrustedProxies? {
        guard let field = root["trusted_proxies"], let entries = field.list else { return nil }
        for entry in entries {
            guard let text = entry.text, Network(text)?.isEverything == true else { continue }
            self.warn(
                "anyone may say who the client is: name the networks that the proxies in front of this one connect from",
                at: entry.mark, path: entry.path)
        }
        return TrustedProxies(entries.compactMap(\.text))
    }

    /// Listeners that want a PROXY header of somebody, where nobody is trusted to send one.
    mutating func checkProxyProtocol(_ root: Field, trusted: TrustedProxies?) {
        // Of a list with a wrong entry it is not known who was meant.
        guard let trusted, !self.reader.hasProblem(under: "trusted_proxies") else { return }
        for field in root["listen"]?.list ?? [] {
            guard let wanted = field["proxy_protocol"], wanted.boolean == true else { continue }
            if case .unix? = field["address"]?.address {
                guard !trusted.trustsSockets else { continue }
                self.report(
                    "nobody may send the header on a unix socket: add unix to trusted_proxies (trusted_proxies: [unix])",
                    at: wanted)
            } else if !trusted.trustsNetworks {
                self.report(
                    "nobody may send the header: name the networks that the load balancer connects from, such as "
                        + "trusted_proxies: [10.0.0.0/8]", at: wanted)
            }
        }
    }
}
