import PosternCore

// What the proxy depends on, and the policy.
extension StatusDocument {
    // MARK: - Issuers

    func issuer(_ issuer: Configuration.Issuer) -> JSONValue {
        .members([
            ("name", .string(issuer.name)), ("issuer", issuer.rules.issuer.map { .string($0) } ?? .null),
            ("validation", .string(issuer.validationWord)), ("revocation", .string(issuer.revocation.rawValue)),
            ("keys", self.keys(of: issuer.name)), ("introspection", self.introspection(of: issuer.name)),
        ])
    }

    /// Of keys that are fetched; nil for others.
    private func keys(of name: String) -> JSONValue? {
        self.gathered.keys.first { $0.issuer == name }.map { status in
            .members([
                ("present", .bool(status.hasKeys)),
                ("age_seconds", status.age.map { .seconds(Double($0) / 1e9) } ?? .null),
                ("refreshes", .whole(status.successes)), ("failures", .whole(status.failures)),
                ("failures_in_a_row", .whole(status.failuresInARow)),
            ])
        }
    }

    /// Of an issuer that is asked; nil for others.
    private func introspection(of name: String) -> JSONValue? {
        self.gathered.introspection.endpoints.first { $0.issuer == name }.map { status in
            .members([
                ("circuit", .string(status.isOpen ? "open" : "closed")), ("under_way", .whole(status.underWay)),
                (
                    "results",
                    .members(
                        IntrospectionEndpoint.Result.allCases.map { ($0.rawValue, .whole(status.counts[$0] ?? 0)) })
                ),
            ])
        }
    }

    // MARK: - Upstreams, Redis, revocations

    func upstream(_ url: String) -> JSONValue {
        let health = self.gathered.health.first { $0.url == url }
        return .members([
            ("url", .string(url)),
            // Null: it is not asked.
            ("healthy", health.map { .bool($0.isUp) } ?? .null),
            ("checks", health.map { .whole($0.successes) }), ("failed_checks", health.map { .whole($0.failures) }),
            // Null: no attempt to connect has failed since one did not.
            ("trouble", self.upstreamTroubles[url].map { .string($0) } ?? .null),
        ])
    }

    var redis: JSONValue {
        guard let redis = self.configuration.redis else { return .null }
        return .members([
            ("url", .string(redis.redactedURL)),
            // Null: it has not been tried yet.
            ("up", self.gathered.redisUp.map { .bool($0) } ?? .null),
        ])
    }

    var revocations: JSONValue {
        guard let report = self.gathered.revocation else { return .null }
        return .members([
            ("up", .bool(report.isUp)), ("known", .bool(report.isKnown)),
            ("down_seconds", .seconds(report.downSeconds)),
            ("count", .whole(self.gathered.loops.first?.revocations ?? 0)), ("malformed", .whole(report.malformed)),
        ])
    }

    // MARK: - Policy

    var policy: JSONValue {
        let listing = RouteListing(self.configuration)
        let routes = listing.rows.map { row in
            JSONValue.members([
                ("route", .string(row.route.pattern.text)), ("methods", .string(row.route.pattern.methodsText)),
                ("path", .string(row.route.pattern.pathText)),
                ("access", .string(row.route.access.word)), ("needs", .string(AccessText.needs(row.route.access))),
                ("overrides", .list(row.overrides)), ("line", .whole(row.route.mark.line)),
            ])
        }
        let access = self.configuration.defaultAccess.access
        return .members([
            ("default", .members([("access", .string(access.word)), ("needs", .string(AccessText.needs(access)))])),
            ("routes", .array(routes)),
        ])
    }
}

extension Configuration.Issuer {
    /// How its tokens are verified: where the keys are from, or that it is asked.
    fileprivate var validationWord: String {
        switch self.validation {
        case .introspection: "introspection"
        case .keys(.remote): "fetched keys"
        case .keys(.file): "keys of a file"
        case .keys(.inline): "keys of the configuration"
        case .keys(.secret): "shared secret"
        }
    }
}

extension Access {
    /// Whom it lets in, in a word.
    fileprivate var word: String {
        switch self {
        case .open: "public"
        case .denied: "deny"
        case .optional: "optional"
        case .required: "required"
        }
    }
}
