extension Configuration.Route {
    /// A word, or a mapping where there is more to say. What proxy.yaml has no form for (a public route with an
    /// override) does not occur.
    public var policy: JSONValue {
        switch self.access {
        case .open: return .string("public")
        case .denied: return .string("deny")
        case .optional: return .string("optional")
        case .required(let requirement):
            let members = requirement.policy + self.overrides
            return members.isEmpty ? .string("authenticated") : .object(members)
        }
    }

    private var overrides: [JSONValue.Member] {
        let values: [(String, JSONValue?)] = [
            ("timeout", self.timeout.map { .string(Nanoseconds.text($0)) }),
            ("body", self.body.map { .string($0.text) }),
            ("forward_token", self.forwardToken.map { .bool($0) }),
            ("upstream", self.upstream.map(\.routePolicy)),
            ("upgrade", self.upgrade.isEmpty ? nil : .strings(self.upgrade)),
        ]
        return values.compactMap { name, value in value.map { JSONValue.Member(name: name, value: $0) } }
    }
}

extension Requirement {
    fileprivate var policy: [JSONValue.Member] {
        let lists = [
            ("scopes", self.scopes), ("any_scope", self.anyScope), ("roles", self.roles), ("issuers", self.issuers),
        ]
        var members = lists.filter { !$0.1.isEmpty }.map { JSONValue.Member(name: $0.0, value: .strings($0.1)) }
        if !self.claims.isEmpty {
            let rules = self.claims.map { JSONValue.Member(name: $0.name, value: $0.expectation.policy) }
            members.append(JSONValue.Member(name: "claims", value: .object(rules)))
        }
        return members
    }
}

extension ClaimRule.Expectation {
    fileprivate var policy: JSONValue {
        switch self {
        case .oneOf(let values):
            if values.count == 1, let value = values.first { value } else { .array(values) }
        case .pathParameter(let name): .string("{\(name)}")
        }
    }
}

extension ClaimSelector {
    /// As proxy.yaml writes it.
    var text: String {
        switch self {
        case .name(let name): name
        case .pointer(let tokens): tokens.map { "/" + Self.escape($0) }.joined()
        }
    }

    private static func escape(_ token: String) -> String {
        var result = ""
        for scalar in token.unicodeScalars {
            switch scalar {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension IdentityHeader.Source {
    /// As proxy.yaml writes it.
    var text: String {
        switch self {
        case .user: "user"
        case .name: "name"
        case .roles: "roles"
        case .scopes: "scopes"
        case .client: "client"
        case .admin: "admin"
        case .issuer: "issuer"
        case .claim(let selector): selector.text
        }
    }
}

extension Configuration.BodyLimit {
    /// As proxy.yaml writes it.
    var text: String {
        switch self {
        case .unlimited: "unlimited"
        case .bytes(let size): ByteSize.text(size)
        }
    }
}

extension TargetOptions {
    var policy: JSONValue {
        func word(_ allowed: Bool) -> JSONValue { .string(allowed ? "allow" : "deny") }
        return .members([
            ("empty_segments", word(self.allowEmptySegments)), ("encoded_slash", word(self.allowEncodedSlash)),
            ("semicolon", word(self.allowSemicolon)),
        ])
    }
}

extension Configuration.Limits {
    var policy: JSONValue {
        .members([
            ("head", .string(ByteSize.text(self.head))), ("target", .string(ByteSize.text(self.target))),
            ("headers", .whole(self.headers)), ("body", .string(self.body.text)),
            ("connections", .whole(self.connections)), ("token", .string(ByteSize.text(self.token))),
            ("identity", .string(ByteSize.text(self.identity))),
        ])
    }
}

extension Configuration.Timeouts {
    var policy: JSONValue {
        let durations = [
            ("head", self.head), ("idle", self.idle), ("body_idle", self.bodyIdle), ("connect", self.connect),
            ("response", self.response), ("upstream_idle", self.upstreamIdle),
            ("tunnel_idle", self.tunnelIdle), ("drain", self.drain), ("drain_delay", self.drainDelay),
        ]
        return .members(durations.map { ($0.0, .string(Nanoseconds.text($0.1))) })
    }
}
