extension Configuration.Issuer {
    var policy: JSONValue {
        .members([
            ("issuer", self.rules.issuer.map { .string($0) }),
            ("audiences", self.rules.audiences.map { .strings($0) } ?? .string("any")),
            ("algorithms", self.keys.map { _ in .strings(self.rules.algorithms.map(\.rawValue)) }),
            ("keys", self.keys?.policy),
            ("introspection", self.introspection?.policy),
            ("leeway", .string(Nanoseconds.text(Int64(exactly: (self.rules.leeway * 1e9).rounded()) ?? 0))),
            ("token_types", self.keys.map { _ in .strings(self.rules.tokenTypes) }),
            ("claims", self.rules.claims.policy),
            ("revocation", .string(self.revocation.rawValue)),
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

extension Configuration.Introspection {
    fileprivate var policy: JSONValue {
        .members([
            ("url", .string((try? URLReference(self.url).redacted) ?? "[redacted]")),
            ("dialect", .string(self.dialect.rawValue)), ("credentials", self.credentials.policy),
            ("timeout", .string(Nanoseconds.text(self.timeout))), ("cache", .string(Nanoseconds.text(self.cache))),
            ("negative_cache", .string(Nanoseconds.text(self.negativeCache))),
            ("stale_if_error", .string(Nanoseconds.text(self.staleIfError))),
            ("ca", self.ca.map { .string($0.path) }),
        ])
    }
}

extension Configuration.Introspection.Credentials {
    fileprivate var policy: JSONValue {
        func client(_ id: String) -> JSONValue { .members([("id", .string(id)), ("secret", .string("[redacted]"))]) }
        switch self {
        case .bearer: return .members([("bearer", .string("[redacted]"))])
        case .basic(let id, _): return .members([("basic", client(id))])
        case .form(let id, _): return .members([("form", client(id))])
        }
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

extension Configuration.Redis {
    /// Of the secrets only how many seals there are, and that there are credentials.
    var policy: JSONValue {
        .members([
            ("url", .string(self.redactedURL)), ("ca", self.ca.map { .string($0.path) }),
            ("timeout", .string(Nanoseconds.text(self.timeout))), ("key_prefix", .string(self.keyPrefix)),
            ("seal", .strings(self.seals.map { _ in "[redacted]" })),
        ])
    }
}
