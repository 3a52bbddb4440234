/// An origin as proxy.yaml writes it (RFC 6454 section 6.2).
enum Origin {
    /// What browsers call an origin that is nobody's: of a sandboxed frame, a file, a redirect across sites.
    static let opaque = "null"

    /// Whether it is `*`, `null`, or a scheme with host and perhaps port.
    static func isValid(_ text: String) -> Bool {
        if text == CrossOriginRules.anyOrigin || text == Self.opaque { return true }
        guard let url = try? URLReference(text) else { return false }
        return url.userinfo == nil && url.rest.isEmpty && Self.ports[url.scheme] != nil
    }

    /// The origin as browsers write it, which is what requests are held against byte for byte: in lower case and without
    /// the scheme's own port. An IPv6 address stays in the form it was given.
    static func serialized(_ text: String) -> String {
        guard let url = try? URLReference(text) else { return text }
        let host = url.host.lowercased()
        let port = url.port.flatMap { $0 == Self.ports[url.scheme] ? nil : ":\($0)" } ?? ""
        return "\(url.scheme)://" + (host.contains(":") ? "[\(host)]" : host) + port
    }

    /// Whether pages come over http from a host that others may stand in front of.
    static func isOpenToTampering(_ text: String) -> Bool {
        guard let url = try? URLReference(text) else { return false }
        return url.scheme == "http" && !url.isPrivateHost
    }

    private static let ports = ["http": 80, "https": 443]
}
