// What a route's `upgrade` and `tunnel_at_expiry` say.
extension ConfigurationDecoder {
    /// The protocols besides websocket that a route lets a client switch to, in lower case.
    mutating func upgrades(_ route: Field) -> [String] {
        var names: [String] = []
        for item in route["upgrade"]?.list ?? [] {
            guard let text = item.text else { continue }
            let name = text.lowercased()
            if name == "websocket" {
                self.report("websocket is always allowed: leave it out", at: item)
            } else if ProtocolSwitch.isNever(Array(name.utf8)) {
                self.report(
                    "\"\(text)\" can never be allowed, because requests in such a tunnel would go past the policy",
                    at: item)
            } else if names.contains(name) {
                self.report("\"\(text)\" stands here twice", at: item)
            } else {
                names.append(name)
            }
        }
        return names
    }

    /// Warns where revocations are required and tunnels do not heed them.
    mutating func checkTunnels(root: Field, issuers: [Configuration.Issuer]) {
        guard let field = root["tunnel_at_expiry"], field.word == Configuration.TunnelAtExpiry.keep.rawValue,
            let issuer = issuers.first(where: { $0.revocation == .required })
        else { return }
        self.warn(
            "issuers.\(issuer.name) requires revocations, but a tunnel goes on when its token is revoked: close would end it",
            at: field.mark, path: field.path)
    }
}
