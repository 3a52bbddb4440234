extension ConfigurationDecoder {
    /// How an issuer is asked; `field` is its `introspection`.
    mutating func introspection(_ field: Field) -> Configuration.Introspection? {
        let url = field["url"]
        let ca = field["ca"].flatMap { self.reader.readFile($0) }
        if let url { self.checkEndpoint(url, ca: field["ca"]) }
        let dialect = field["dialect"]?.word.flatMap { Configuration.Introspection.Dialect(rawValue: $0) }
        let credentials = field["credentials"].flatMap { self.credentials($0, dialect: dialect) }
        guard let url = url?.url, let dialect, let credentials, let timeout = field["timeout"]?.duration,
            let cache = field["cache"]?.duration, let negative = field["negative_cache"]?.duration,
            let stale = field["stale_if_error"]?.duration
        else { return nil }
        return Configuration.Introspection(
            url: url.text, dialect: dialect, credentials: credentials, timeout: timeout, cache: cache,
            negativeCache: negative, staleIfError: stale, ca: ca)
    }

    private mutating func checkEndpoint(_ field: Field, ca: Field?) {
        guard let url = field.url else { return }
        if url.userinfo != nil {
            self.report("cannot hold credentials: give them in introspection.credentials", at: field)
        }
        if url.rest.contains("#") { self.report("cannot hold a fragment (\"#…\")", at: field) }
        guard url.scheme == "http" else { return }
        if let ca { self.warn("has no effect: the issuer is asked over http", at: ca.mark, path: ca.path) }
        guard !url.isPrivateHost else { return }
        self.warn(
            "tokens go over http to \(url.host): whoever is on the way can take them and call any token active; "
                + "use https", at: field.mark, path: field.path)
    }

    private mutating func credentials(
        _ field: Field, dialect: Configuration.Introspection.Dialect?
    ) -> Configuration.Introspection.Credentials? {
        if let bearer = field["bearer"] {
            guard let secret = bearer.secret else { return nil }
            if !secret.bytes.allSatisfy({ (0x21...0x7E).contains($0) }) {
                self.report("must be visible ASCII without spaces: it goes into a header", at: bearer)
            }
            return .bearer(secret)
        }
        if let form = field["form"], dialect == .hecate {
            self.report("dialect hecate sends JSON and no form: use bearer or basic", at: form)
        }
        guard let client = field["basic"] ?? field["form"], let id = client["id"]?.text,
            let secret = client["secret"]?.secret
        else { return nil }
        return field["basic"] == nil ? .form(id: id, secret) : .basic(id: id, secret)
    }

    /// Issuers that are asked about any token: whoever is asked the same question again answers the same.
    mutating func checkRepeatedEndpoints(_ issuers: [Configuration.Issuer]) {
        var asked: [(name: String, introspection: Configuration.Introspection)] = []
        for issuer in issuers where issuer.rules.issuer == nil {
            guard let introspection = issuer.introspection else { continue }
            let first = asked.first { other in
                other.introspection.url == introspection.url
                    && other.introspection.credentials == introspection.credentials
            }
            if let first {
                self.warn(
                    "asks the same endpoint as \"\(first.name)\": a token that is not active is asked about twice",
                    at: issuer.validationMark, path: "issuers.\(issuer.name).introspection")
            } else {
                asked.append((issuer.name, introspection))
            }
        }
    }
}

extension Configuration.Introspection.Dialect {
    /// What its answers' members mean where `claims` does not say otherwise.
    var claims: ClaimMap {
        switch self {
        case .rfc7662: ClaimMap()
        case .hecate: ClaimMap(scopes: [.name("permissions")], user: [.name("user_id")], name: [.name("username")])
        }
    }
}
