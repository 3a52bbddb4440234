import Tracing

/// A host and perhaps a port, as they stand in a URL or in Host.
struct HostText: Equatable {
    /// Without the brackets of an IPv6 address.
    var host: String
    var port: Int?

    init(_ text: String) {
        let authority = text[...]
        let close = authority.lastIndex(of: "]")
        if let colon = authority.lastIndex(of: ":"), close.map({ $0 < colon }) ?? true {
            self.host = String(authority[..<colon])
            self.port = Int(authority[authority.index(after: colon)...])
        } else {
            self.host = text
        }
        if self.host.hasPrefix("["), self.host.hasSuffix("]") { self.host = String(self.host.dropFirst().dropLast()) }
    }

    /// The server of an absolute URL, with the port that its scheme has where none is named.
    init(url: String) {
        let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        self.init(String((parts.count > 2 ? parts[2] : "").prefix { $0 != "/" && $0 != "?" }))
        if self.port == nil { self.port = url.lowercased().hasPrefix("https:") ? 443 : 80 }
    }
}

extension SpanAttributes {
    /// Whom a request is for (OpenTelemetry's semantic conventions for HTTP).
    mutating func setServer(_ server: HostText) {
        guard !server.host.isEmpty else { return }
        self["server.address"] = server.host
        if let port = server.port { self["server.port"] = port }
    }
}
