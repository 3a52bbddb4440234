extension Configuration {
    /// What is in force, as JSON with the keys of proxy.yaml, defaults filled in: the admin listener's `/policy`.
    /// Secrets are left out, and credentials and queries of URLs hidden.
    public func effectivePolicy() -> String {
        JSONText.pretty(
            .members([
                ("version", .whole(1)),
                ("service", .string(self.service)),
                ("realm", .string(self.realm)),
                ("listen", .strings(self.listen.map(\.address.description))),
                ("upstream", self.upstream.policy),
                ("admin", self.admin.policy),
                ("issuers", .members(self.issuers.map { ($0.name, $0.policy) })),
                ("identity", .members(self.identity.map { ($0.name, .string($0.source.text)) })),
                ("forward_token", .bool(self.forwardToken)),
                ("default", .string(self.defaultAccess.rawValue)),
                ("cors", .members([("preflight", .string(self.cors.preflight.rawValue))])),
                ("routes", .members(self.routes.map { ($0.pattern.text, $0.policy) })),
                ("paths", self.paths.policy),
                ("limits", self.limits.policy),
                ("timeouts", self.timeouts.policy),
                (
                    "log",
                    .members([
                        ("level", .string(self.log.level.rawValue)), ("format", .string("json")),
                        ("access", .string(self.log.access.rawValue)),
                    ])
                ),
                ("event_loops", self.eventLoops.map { .whole($0) } ?? .string("auto")),
            ]))
    }
}

extension Configuration.Upstream {
    fileprivate var policy: JSONValue {
        .members([
            ("url", .string(self.url)), ("connections", .whole(self.connections)), ("queue", .whole(self.queue)),
            ("retry", .members([("attempts", .whole(self.retryAttempts))])),
        ])
    }
}

extension Configuration.Admin {
    fileprivate var policy: JSONValue {
        .members([
            ("address", .string(self.address.description)), ("status", self.status.map { .string($0.description) }),
        ])
    }
}

extension Configuration.Issuer {
    fileprivate var policy: JSONValue {
        .members([
            ("issuer", .string(self.rules.issuer)),
            ("audiences", self.rules.audiences.map { .strings($0) } ?? .string("any")),
            ("algorithms", .strings(self.rules.algorithms.map(\.rawValue))),
            ("keys", self.keys.policy),
            ("leeway", .string(Nanoseconds.text(Int64(exactly: (self.rules.leeway * 1e9).rounded()) ?? 0))),
            ("token_types", .strings(self.rules.tokenTypes)),
            ("claims", self.rules.claims.policy),
            ("admin", self.rules.claims.admin.map { .string($0.text) }),
        ])
    }
}

extension Configuration.Keys {
    fileprivate var policy: JSONValue {
        switch self {
        case .remote(let remote): remote.policy
        case .file(let file): .members([("file", .string(file.path))])
        // The key may be a shared secret: only that there is one is shown.
        case .inline: .members([("inline", .string("[redacted]"))])
        case .secret: .members([("secret", .string("[redacted]"))])
        }
    }
}

extension Configuration.RemoteKeys {
    fileprivate var policy: JSONValue {
        let source: (String, JSONValue?) =
            switch self.source {
            case .url(let url): ("url", .string((try? URLReference(url).redacted) ?? "[redacted]"))
            case .discovery: ("discover", .bool(true))
            }
        return .members([
            source, ("refresh", .string(Nanoseconds.text(self.refresh))),
            ("timeout", .string(Nanoseconds.text(self.timeout))),
            ("max_stale", .string(Nanoseconds.text(self.maxStale))), ("ca", self.ca.map { .string($0.path) }),
            (
                "headers",
                self.headers.isEmpty ? nil : .members(self.headers.map { ($0.name, .string("[redacted]")) })
            ),
        ])
    }
}

extension ClaimMap {
    fileprivate var policy: JSONValue {
        .members([
            ("scopes", .strings(self.scopes.map(\.text))), ("roles", .strings(self.roles.map(\.text))),
            ("user", .strings(self.user.map(\.text))), ("name", .strings(self.name.map(\.text))),
            ("client", .strings(self.client.map(\.text))),
        ])
    }
}
