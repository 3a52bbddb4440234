/// Where Redis is, as `redis.url` says it. `rediss` instead of `redis` is TLS:
/// - `redis://[user:password@]host[:6379][/database]`
/// - `redis+sentinel://[user:password@]host[:26379],host…/master[/database]`
/// - `redis+cluster://[user:password@]host[:6379],host…`
///
/// User and password are percent-encoded (RFC 3986 section 3.2.1). No problem repeats anything of the text, which may
/// hold a password anywhere.
public struct RedisURL: Equatable, Sendable {
    public var topology: Configuration.Redis.Topology
    /// Whether every connection, to sentinels too, is TLS.
    public var usesTLS: Bool
    /// The ACL user, for the Redis nodes and not for sentinels.
    public var user: String?
    /// For the Redis nodes and not for sentinels.
    public var password: Secret?
    /// 0 in a cluster; at most 99999.
    public var database: Int

    private enum Kind: String {
        case single = ""
        case sentinel = "+sentinel"
        case cluster = "+cluster"
    }

    /// Reads the URL; the error says what is wrong.
    ///
    /// - Parameter passwordKey: What the reader's users call the place where a password stands as it is.
    public init(_ text: String, passwordKey: String = "redis.password") throws(SyntaxProblem) {
        let hint = "; a password stands as it is in \(passwordKey)"
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw SyntaxProblem("spaces, control and non-ASCII characters are percent-encoded\(hint)")
        }
        let (kind, usesTLS, rest) = try Self.scheme(of: text)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        var authority = rest[..<end]
        let path = rest[end...]
        guard !path.contains("@") else {
            throw SyntaxProblem("\"/\", \"?\" and \"#\" in the user or the password are percent-encoded\(hint)")
        }
        guard !path.contains("?"), !path.contains("#") else {
            throw SyntaxProblem("it cannot hold a query or a fragment")
        }
        self.usesTLS = usesTLS
        if let at = authority.lastIndex(of: "@") {
            (self.user, self.password) = try Self.credentials(authority[..<at], hint: hint)
            authority = authority[authority.index(after: at)...]
        }
        let nodes = try Self.nodes(authority, port: kind == .sentinel ? 26_379 : 6379)
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        (self.topology, self.database) = try Self.place(kind, nodes: nodes, path: path.utf8.count < 2 ? [] : parts)
    }

    private static func scheme(of text: String) throws(SyntaxProblem) -> (Kind, usesTLS: Bool, rest: Substring) {
        let scheme = text.prefix { $0 != ":" }
        let rest = text.dropFirst(scheme.count)
        guard rest.hasPrefix("://") else { throw SyntaxProblem("it has no scheme: redis://host") }
        let name = scheme.lowercased()
        let usesTLS = name.hasPrefix("rediss")
        guard name.hasPrefix("redis"), let kind = Kind(rawValue: String(name.dropFirst(usesTLS ? 6 : 5))) else {
            throw SyntaxProblem("the scheme must be redis, redis+sentinel or redis+cluster, or with rediss for TLS")
        }
        return (kind, usesTLS, rest.dropFirst(3))
    }

    private static func nodes(
        _ text: Substring, port standard: Int
    ) throws(SyntaxProblem) -> [Configuration.Redis.Node] {
        guard !text.isEmpty else { throw SyntaxProblem("the host is missing") }
        var nodes: [Configuration.Redis.Node] = []
        var places: [Configuration.Redis.Node: Int] = [:]
        for (index, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            guard let (host, port) = try? URLReference.hostAndPort(part) else {
                throw SyntaxProblem(
                    "host \(index + 1) must be a name, an IPv4 address or an IPv6 address in brackets, and may have a "
                        + "port from 1 to 65535")
            }
            let node = Configuration.Redis.Node(host: host, port: port ?? standard)
            // Case does not distinguish names.
            let known = Configuration.Redis.Node(host: host.lowercased(), port: node.port)
            if let other = places.updateValue(index + 1, forKey: known) {
                throw SyntaxProblem("host \(index + 1) is the same as host \(other)")
            }
            nodes.append(node)
        }
        return nodes
    }

    /// What the path means: nothing, a master's name, a database.
    private static func place(
        _ kind: Kind, nodes: [Configuration.Redis.Node], path: [Substring]
    ) throws(SyntaxProblem) -> (Configuration.Redis.Topology, database: Int) {
        switch kind {
        case .single:
            guard let node = nodes.first, nodes.count == 1 else {
                throw SyntaxProblem("several hosts are sentinels (redis+sentinel://) or a cluster (redis+cluster://)")
            }
            guard path.count <= 1 else {
                throw SyntaxProblem("after the host comes the database alone, such as \"/0\"")
            }
            return (.single(node), try Self.database(path.first))
        case .sentinel:
            guard let master = path.first, !master.isEmpty else {
                throw SyntaxProblem("the master's name is missing: redis+sentinel://host:26379/mymaster")
            }
            // The alphabet is that of sentinels themselves.
            guard TextFormat.name.problem(with: String(master)) == nil else {
                throw SyntaxProblem("the master's name must be \(TextFormat.name.description)")
            }
            guard path.count <= 2 else {
                throw SyntaxProblem("after the master's name comes the database alone, such as \"/mymaster/0\"")
            }
            return (.sentinel(nodes, master: String(master)), try Self.database(path.dropFirst().first))
        case .cluster:
            guard path.isEmpty else { throw SyntaxProblem("a cluster has no databases: nothing comes after the hosts") }
            return (.cluster(nodes), 0)
        }
    }

    private static func database(_ text: Substring?) throws(SyntaxProblem) -> Int {
        guard let text, !text.isEmpty else { return 0 }
        guard text.utf8.count <= 5, PlainScalar.isDecimal(String(text)), let number = Int(text) else {
            throw SyntaxProblem("the database must be a whole number from 0 to 99999")
        }
        return number
    }
}

// MARK: - Credentials

extension RedisURL {
    private static func credentials(
        _ text: Substring, hint: String
    ) throws(SyntaxProblem) -> (user: String?, password: Secret?) {
        let user = text.prefix { $0 != ":" }
        let password = text.dropFirst(user.count + 1)
        guard let userBytes = Self.decoded(user), let passwordBytes = Self.decoded(password),
            let name = String(validating: userBytes, as: UTF8.self)
        else {
            throw SyntaxProblem("\"%\" in the user or the password is written \"%25\"\(hint)")
        }
        guard !name.isEmpty || !passwordBytes.isEmpty else {
            throw SyntaxProblem("user and password are empty: remove what stands before \"@\"")
        }
        return (name.isEmpty ? nil : name, passwordBytes.isEmpty ? nil : Secret(passwordBytes))
    }

    /// Percent-decoded; nil where a "%" begins no escape.
    private static func decoded(_ text: Substring) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexadecimalValue, let low = rest.popFirst()?.hexadecimalValue else {
                return nil
            }
            result.append(high << 4 | low)
        }
        return result
    }
}

// MARK: - Output

extension RedisURL {
    /// The URL without its credentials, in its longest form.
    public var redacted: String {
        Self.redacted(
            self.topology, usesTLS: self.usesTLS, hasCredentials: self.user != nil || self.password != nil,
            database: self.database)
    }

    fileprivate static func redacted(
        _ topology: Configuration.Redis.Topology, usesTLS: Bool, hasCredentials: Bool, database: Int
    ) -> String {
        let credentials = hasCredentials ? "[redacted]@" : ""
        func list(_ nodes: [Configuration.Redis.Node]) -> String { nodes.map(\.description).joined(separator: ",") }
        let scheme = usesTLS ? "rediss" : "redis"
        switch topology {
        case .single(let node): return "\(scheme)://\(credentials)\(node)/\(database)"
        case .sentinel(let nodes, let master):
            return "\(scheme)+sentinel://\(credentials)\(list(nodes))/\(master)/\(database)"
        case .cluster(let nodes): return "\(scheme)+cluster://\(credentials)\(list(nodes))"
        }
    }
}

extension Configuration.Redis {
    /// The URL without its credentials, in its longest form.
    public var redactedURL: String {
        RedisURL.redacted(
            self.topology, usesTLS: self.usesTLS, hasCredentials: self.user != nil || self.password != nil,
            database: self.database)
    }
}
