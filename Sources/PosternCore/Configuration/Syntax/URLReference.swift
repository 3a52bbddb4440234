/// An absolute URL, split as far as configuration needs it.
struct URLReference: Equatable, Sendable {
    var text: String
    /// Lower-case.
    var scheme: String
    var userinfo: String?
    /// Without brackets.
    var host: String
    var port: Int?
    /// From the first slash after the host, query and fragment included.
    var rest: String

    /// Reads `scheme://[user:password@]host[:port][/…]`; the error says what is wrong.
    init(_ text: String) throws(SyntaxProblem) {
        guard let scheme = Self.scheme(of: text) else {
            throw SyntaxProblem("it has no scheme: \"http://\(text)\"?")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw SyntaxProblem("spaces, control and non-ASCII characters in a URL are percent-encoded")
        }
        let afterScheme = text.dropFirst(scheme.utf8.count + 3)
        let end = afterScheme.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? afterScheme.endIndex
        var authority = afterScheme[..<end]
        self.text = text
        self.scheme = scheme.lowercased()
        self.rest = String(afterScheme[end...])
        if let at = authority.lastIndex(of: "@") {
            self.userinfo = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        (self.host, self.port) = try Self.hostAndPort(authority)
    }

    /// Reads `host[:port]`, an IPv6 address in brackets. The result's host is without them.
    static func hostAndPort(_ text: Substring) throws(SyntaxProblem) -> (host: String, port: Int?) {
        let (host, port) = try Self.split(text)
        guard let port else { return (host, nil) }
        guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(port), (1...65_535).contains(number)
        else { throw SyntaxProblem("the port must be a number from 1 to 65535") }
        return (host, number)
    }

    private static func scheme(of text: String) -> String? {
        let scheme = text.prefix { $0.utf8.allSatisfy { $0.isASCIIAlphanumeric } }
        guard !scheme.isEmpty, text.dropFirst(scheme.count).hasPrefix("://") else { return nil }
        return String(scheme)
    }

    private static func split(_ authority: Substring) throws(SyntaxProblem) -> (String, Substring?) {
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else {
                throw SyntaxProblem("the bracket of the IPv6 address is not closed")
            }
            let host = String(authority[authority.index(after: authority.startIndex)..<close])
            guard IPAddress(host)?.isIPv6 == true else {
                throw SyntaxProblem("\"\(host)\" is not an IPv6 address")
            }
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else {
                throw SyntaxProblem("after an IPv6 address comes \":\" and the port")
            }
            return (host, rest.isEmpty ? nil : rest.dropFirst())
        }
        let colon = authority.firstIndex(of: ":") ?? authority.endIndex
        let host = String(authority[..<colon])
        guard !host.isEmpty else { throw SyntaxProblem("the host is missing") }
        guard Address.isHost(host) else {
            throw SyntaxProblem("\"\(host)\" is neither a host name nor an IP address")
        }
        return (host, colon == authority.endIndex ? nil : authority[authority.index(after: colon)...])
    }

    var isPrivateHost: Bool { Self.isPrivate(host: self.host) }

    /// Whether a host is loopback, private (RFC 1918, RFC 4193), a name without dots or of a local domain: one that is
    /// not reached over the Internet.
    static func isPrivate(host: String) -> Bool {
        if let address = IPAddress(host) { return address.isPrivate }
        let name = host.lowercased()
        return !name.contains(".")
            || [".localhost", ".local", ".internal", ".svc"].contains { name.hasSuffix($0) }
    }

    /// The URL with credentials and query hidden.
    var redacted: String {
        let hostText = self.host.contains(":") ? "[\(self.host)]" : self.host
        let path = self.rest.prefix { $0 != "?" && $0 != "#" }
        return "\(self.scheme)://" + (self.userinfo == nil ? "" : "[redacted]@") + hostText
            + (self.port.map { ":\($0)" } ?? "") + path + (path.count == self.rest.count ? "" : "?[redacted]")
    }
}
