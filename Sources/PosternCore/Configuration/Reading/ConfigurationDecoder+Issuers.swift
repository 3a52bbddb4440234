extension ConfigurationDecoder {
    mutating func issuers(_ root: Field) -> [Configuration.Issuer] {
        guard let field = root["issuers"] else { return [] }
        if field.entries?.isEmpty == true { self.report("names no issuer: add one or remove the key", at: field) }
        var result: [Configuration.Issuer] = []
        var owners: [String: (name: String, line: Int)] = [:]
        for entry in field.entries ?? [] {
            if let iss = entry.field["issuer"], let text = iss.text {
                if let owner = owners[text] {
                    self.report("is already the issuer of \"\(owner.name)\" (line \(owner.line))", at: iss)
                } else {
                    owners[text] = (entry.key, entry.mark.line)
                }
            }
            if let issuer = self.issuer(entry) { result.append(issuer) }
        }
        self.checkRepeatedEndpoints(result)
        return result
    }

    private mutating func issuer(_ entry: Field.Entry) -> Configuration.Issuer? {
        self.noteRevocation(entry.field)
        if let keys = entry.field["keys"] { return self.localIssuer(entry, keysField: keys) }
        return entry.field["introspection"].flatMap { self.introspectedIssuer(entry, introspectionField: $0) }
    }

    private mutating func localIssuer(_ entry: Field.Entry, keysField: Field) -> Configuration.Issuer? {
        let field = entry.field
        let iss = field["issuer"]
        self.require("issuer", of: field, "the exact iss of the tokens")
        self.require("audiences", of: field, "the names of this service in aud; \"any\" switches the check off")
        let keys = self.keys(keysField, issuer: iss)
        let algorithms = self.algorithms(field, keys: keysField)
        guard let iss = iss?.text, let keys, let leeway = Self.leeway(field), let revocation = Self.revocation(field)
        else { return nil }
        let rules = IssuerRules(
            name: entry.key, issuer: iss, audiences: field["audiences"]?.texts, algorithms: algorithms, leeway: leeway,
            tokenTypes: Self.tokenTypes(field["token_types"]?.texts ?? []), claims: Self.claims(field, or: ClaimMap()))
        return Configuration.Issuer(
            rules: rules, validation: .keys(keys), revocation: revocation, mark: entry.mark,
            validationMark: keysField.mark)
    }

    private mutating func introspectedIssuer(
        _ entry: Field.Entry, introspectionField: Field
    ) -> Configuration.Issuer? {
        let field = entry.field
        for key in ["algorithms", "token_types"] {
            guard let option = field.written(key) else { continue }
            self.report("has a meaning only with keys: the issuer itself judges the token; remove it", at: option)
        }
        guard let introspection = self.introspection(introspectionField), let leeway = Self.leeway(field),
            let revocation = Self.revocation(field)
        else { return nil }
        let rules = IssuerRules(
            name: entry.key, issuer: field["issuer"]?.text, audiences: field["audiences"]?.texts, algorithms: [],
            leeway: leeway, tokenTypes: [], claims: Self.claims(field, or: introspection.dialect.claims))
        return Configuration.Issuer(
            rules: rules, validation: .introspection(introspection), revocation: revocation, mark: entry.mark,
            validationMark: introspectionField.mark)
    }

    /// What local validation cannot do without.
    private mutating func require(_ key: String, of field: Field, _ meaning: String) {
        let path = "\(field.path).\(key)"
        guard field[key] == nil, !self.reader.hasProblem(under: path) else { return }
        self.reader.report("is required with keys: \(meaning)", at: field.mark, path: path)
    }

    /// HMAC needs a secret, and a secret is good for nothing else: a public key must never become a shared secret.
    private mutating func algorithms(_ field: Field, keys: Field) -> [SignatureAlgorithm] {
        guard let list = field["algorithms"] else { return [] }
        // A secret that is too short is a secret.
        let hasSecret = keys["secret"] != nil || self.reader.hasProblem(under: "\(keys.path).secret")
        var result: [SignatureAlgorithm] = []
        for item in list.list ?? [] {
            guard let algorithm = item.text.flatMap({ SignatureAlgorithm(rawValue: $0) }) else { continue }
            result.append(algorithm)
            guard list.isWritten, algorithm.isHMAC != hasSecret else { continue }
            let need = hasSecret ? "needs a public key, and keys is a secret" : "needs keys: {secret: …}"
            self.report("\(algorithm.rawValue) \(need)", at: item)
        }
        if hasSecret, !list.isWritten {
            self.reader.report(
                "is required with a secret: HMAC is accepted only where it is named, such as [HS256]",
                at: keys.mark, path: "\(field.path).algorithms")
        }
        return result
    }

    /// In seconds.
    private static func leeway(_ field: Field) -> Double? {
        field["leeway"]?.duration.map { Double($0) / Double(Nanoseconds.second) }
    }

    private static func revocation(_ field: Field) -> Configuration.Issuer.Revocation? {
        field["revocation"]?.word.flatMap { Configuration.Issuer.Revocation(rawValue: $0) }
    }

    private static func tokenTypes(_ texts: [String]) -> [String] {
        texts.map { text in
            let lower = text.lowercased()
            return lower.hasPrefix("application/") ? String(lower.dropFirst("application/".count)) : lower
        }
    }

    /// The mapping that is written, filled up from `standard`.
    private static func claims(_ field: Field, or standard: ClaimMap) -> ClaimMap {
        var map = standard
        func selectors(_ key: String) -> [ClaimSelector]? {
            field["claims"]?.written(key)?.texts?.map { ClaimSelector($0) }
        }
        map.scopes = selectors("scopes") ?? map.scopes
        map.roles = selectors("roles") ?? map.roles
        map.user = selectors("user") ?? map.user
        map.name = selectors("name") ?? map.name
        map.client = selectors("client") ?? map.client
        map.admin = field["admin"]?.text.map { ClaimSelector($0) }
        return map
    }
}
