extension Address {
    /// What an address may be for.
    enum Purpose {
        /// Port 0 is any free port.
        case listening
        case connecting
    }

    /// Reads `host:port` (`[::1]:port` for IPv6) or `unix:/path`; the error says what is wrong.
    static func parse(_ text: String, for purpose: Purpose) throws(SyntaxProblem) -> Address {
        if text.hasPrefix("unix:") { return try Self.parseSocket(text) }
        guard let colon = text.lastIndex(of: ":") else {
            if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                throw SyntaxProblem("the host is missing: \"0.0.0.0:\(text)\" or \"[::]:\(text)\" for all addresses")
            }
            throw SyntaxProblem("the port is missing: \"\(text):8080\"")
        }
        var host = String(text[..<colon])
        guard let port = Self.port(text[text.index(after: colon)...], for: purpose) else {
            throw SyntaxProblem("the port must be a number from \(purpose == .listening ? 0 : 1) to 65535")
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard IPAddress(host)?.isIPv6 == true else {
                throw SyntaxProblem("\"\(host)\" is not an IPv6 address")
            }
        } else if host.isEmpty {
            throw SyntaxProblem("the host is missing: \"0.0.0.0:\(port)\" or \"[::]:\(port)\" for all addresses")
        } else if host.contains(":") {
            throw SyntaxProblem("an IPv6 address wants brackets: \"[\(host)]:\(port)\"")
        } else if !Self.isHost(host) {
            throw SyntaxProblem("\"\(host)\" is neither a host name nor an IP address")
        }
        return .host(host, port: port)
    }

    private static func parseSocket(_ text: String) throws(SyntaxProblem) -> Address {
        let path = String(text.dropFirst(5))
        guard path.hasPrefix("/"), path.utf8.count > 1 else {
            throw SyntaxProblem("a socket wants an absolute path: \"unix:/run/postern.sock\"")
        }
        // sockaddr_un holds 108 bytes with the ending NUL.
        guard path.utf8.count <= 107, !path.utf8.contains(0) else {
            throw SyntaxProblem("the path of a socket has at most 107 bytes")
        }
        return .unix(path: path)
    }

    private static func port(_ text: Substring, for purpose: Purpose) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(text), port <= 65_535, port > 0 || purpose == .listening
        else { return nil }
        return port
    }

    /// Whether a text is an IPv4 address or a name of letters, digits, "-", "_" and "." (RFC 1123 section 2.1; the
    /// underscore is common in container networks).
    static func isHost(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if let last = labels.last, !last.isEmpty, last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return IPAddress(text) != nil
        }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy {
                    $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
                && label.first != "-" && label.last != "-"
        }
    }

    /// Whether only this host can connect: loopback, `localhost` or a socket.
    public var isLocal: Bool {
        switch self {
        case .unix: true
        case .host(let host, _): host == "localhost" || IPAddress(host)?.isLoopback == true
        }
    }

    /// Whether listening at both is impossible, or makes one of them unreachable.
    func collides(with other: Address) -> Bool {
        switch (self, other) {
        case (.unix(let path), .unix(let otherPath)):
            return path == otherPath
        case (.host(let host, let port), .host(let otherHost, let otherPort)):
            guard port == otherPort, port != 0 else { return false }
            return host == otherHost || IPAddress(host)?.isUnspecified == true
                || IPAddress(otherHost)?.isUnspecified == true || (self.isLocal && other.isLocal)
        default:
            return false
        }
    }
}

/// A text that is not what it should be, and why.
public struct SyntaxProblem: Error, Equatable, Sendable {
    /// What is wrong, and what would be right; begins in lower case, without a full stop.
    public let message: String

    init(_ message: String) {
        self.message = message
    }
}

extension UInt8 {
    var isASCIIAlphanumeric: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}
