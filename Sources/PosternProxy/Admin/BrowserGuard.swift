import NIOHTTP1
import PosternCore

/// Keeps the pages of other sites from using the admin listener through the browser of somebody who can reach it. Such a
/// page cannot read an answer (no CORS line is ever sent), unless it makes the browser believe that the listener is its own
/// site, by a name that it has pointed here (DNS rebinding); and it can send a POST.
enum BrowserGuard {
    /// Names that no stranger can have: public DNS does not serve them (RFC 6761, RFC 9476 and ICANN for `internal`), or
    /// they are those of a cluster.
    private static let privateSuffixes = [".localhost", ".test", ".internal", ".svc", ".cluster.local"]

    /// Whether the Host is one that another site cannot have: an address, a name without a dot, one of a domain that public
    /// DNS does not serve, or the listener's own. Without Host (HTTP/1.0) it is no browser.
    ///
    /// - Parameter own: the name in `admin.address`, if it is one.
    static func knowsHost(_ headers: HTTPHeaders, own: String?) -> Bool {
        let values = headers["Host"]
        guard values.count <= 1 else { return false }
        guard let value = values.first else { return true }
        let name = Self.name(inHost: value.lowercased())
        if name.isEmpty || !name.contains(".") || name == own?.lowercased() { return true }
        if NetworkAddress(Array(name.utf8).span.bytes) != nil { return true }
        return Self.privateSuffixes.contains { name.hasSuffix($0) }
    }

    /// Whether a page of another site sends this: browsers say where a POST comes from, twice.
    static func isCrossSite(_ headers: HTTPHeaders) -> Bool {
        if headers["Sec-Fetch-Site"].contains(where: { $0 != "same-origin" && $0 != "none" }) { return true }
        let origins = headers["Origin"]
        guard let host = headers.first(name: "Host")?.lowercased() else { return !origins.isEmpty }
        // A proxy in front may have taken the TLS off.
        return origins.contains { origin in
            let origin = origin.lowercased()
            return origin != "http://\(host)" && origin != "https://\(host)"
        }
    }

    /// Whether the body is called JSON. A form of another site cannot send that without a preflight, which gets no yes.
    static func isJSON(_ headers: HTTPHeaders) -> Bool {
        let values = headers["Content-Type"]
        guard values.count == 1, let value = values.first else { return false }
        var type = value.prefix { $0 != ";" }
        while type.last == " " { type.removeLast() }
        return type.lowercased() == "application/json"
    }

    /// The host without its port, brackets and final dot.
    private static func name(inHost host: String) -> String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        var name = host.prefix { $0 != ":" }
        if name.last == "." { name.removeLast() }
        return String(name)
    }
}
