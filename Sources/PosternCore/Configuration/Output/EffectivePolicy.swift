extension Configuration {
    /// What is in force, as JSON with the keys of proxy.yaml, defaults filled in: the admin listener's `/policy`.
    /// Secrets are left out, and credentials and queries of URLs hidden.
    public func effectivePolicy() -> String {
        JSONText.pretty(
            .members([
                ("version", .whole(1)),
                ("service", .string(self.service)),
                ("realm", .string(self.realm)),
                ("listen", .array(self.listen.map(\.policy))),
                ("upstream", self.upstream.policy),
                ("admin", self.admin.policy),
                ("issuers", .members(self.issuers.map { ($0.name, $0.policy) })),
                ("redis", self.redis?.policy),
                ("identity", .members(self.identity.map { ($0.name, .string($0.source.text)) })),
                ("forward_token", .bool(self.forwardToken)),
                ("default", .string(self.defaultAccess.rawValue)),
                ("cors", self.cors.policy),
                ("routes", .members(self.routes.map { ($0.pattern.text, $0.policy) })),
                ("paths", self.paths.policy),
                ("limits", self.limits.policy),
                ("timeouts", self.timeouts.policy),
                ("tunnel_at_expiry", .string(self.tunnelAtExpiry.rawValue)),
                (
                    "log",
                    .members([
                        ("level", .string(self.log.level.rawValue)), ("format", .string("json")),
                        ("access", .string(self.log.access.rawValue)),
                    ])
                ),
                ("tracing", self.tracing?.policy),
                ("event_loops", self.eventLoops.map { .whole($0) } ?? .string("auto")),
                ("trusted_proxies", .strings(self.trustedProxies.texts)),
            ]))
    }
}

extension Configuration.Upstream {
    fileprivate var policy: JSONValue {
        .members([
            ("url", .string(self.url)), ("protocol", .string(self.applicationProtocol.rawValue)),
            ("connections", .whole(self.connections)), ("queue", .whole(self.queue)),
            ("retry", .members([("attempts", .whole(self.retryAttempts))])), ("health", self.health?.policy),
            ("tls", self.tls?.policy),
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

extension Configuration.Cors {
    fileprivate var policy: JSONValue {
        switch self.preflight {
        case .deny: .members([("preflight", .string("deny"))])
        case .forward: .members([("preflight", .string("forward"))])
        case .answer(let rules):
            .members([
                ("preflight", .string("answer")), ("origins", .strings(rules.origins)),
                ("methods", .strings(rules.methods)), ("headers", .strings(rules.headers)),
                ("expose", .strings(rules.expose)),
                ("max_age", .string(Nanoseconds.text(rules.maxAge * Nanoseconds.second))),
                ("credentials", .bool(rules.credentials)),
            ])
        }
    }
}
