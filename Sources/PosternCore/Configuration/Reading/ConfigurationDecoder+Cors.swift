extension ConfigurationDecoder {
    /// `cors`. Origins alone say that the proxy answers; whatever else belongs to its answer has no meaning without.
    mutating func cors(_ root: Field) -> Configuration.Cors {
        guard let field = root["cors"] else { return Configuration.Cors(preflight: .deny) }
        let written = field.written("preflight")
        if let word = written?.word, word != "answer" {
            for key in Self.answerKeys {
                guard let key = field.written(key) else { continue }
                self.report("has a meaning only with preflight: answer: write that, or remove this key", at: key)
            }
            return Configuration.Cors(preflight: word == "forward" ? .forward : .deny)
        }
        guard let origins = field["origins"] else {
            let needing = written ?? Self.answerKeys.lazy.compactMap { field.written($0) }.first
            if let needing, !self.reader.hasProblem(under: "cors.origins") {
                self.report("needs cors.origins: the origins whose pages may call", at: needing)
            }
            return Configuration.Cors(preflight: .deny)
        }
        let rules = self.crossOriginRules(field, origins)
        self.warnOfCors(field, rules, hasIssuers: root["issuers"] != nil)
        return Configuration.Cors(preflight: .answer(rules))
    }

    private static let answerKeys = ["origins", "methods", "headers", "expose", "max_age", "credentials"]

    private mutating func crossOriginRules(_ field: Field, _ origins: Field) -> CrossOriginRules {
        let credentials = field["credentials"]?.boolean ?? false
        for key in ["methods", "headers"] { self.checkWildcard(field[key], always: true) }
        if credentials { self.checkWildcard(field["expose"], always: false) }
        self.checkMethods(field["methods"])
        let age = field["max_age"]
        let nanoseconds = age?.duration ?? 0
        if let age, nanoseconds % Nanoseconds.second != 0 { self.report("must be whole seconds", at: age) }
        return CrossOriginRules(
            origins: self.origins(origins, credentials: credentials), methods: field["methods"]?.texts ?? [],
            headers: field["headers"]?.texts ?? [], expose: field["expose"]?.texts ?? [],
            maxAge: nanoseconds / Nanoseconds.second, credentials: credentials)
    }

    /// The origins as browsers write them.
    private mutating func origins(_ field: Field, credentials: Bool) -> [String] {
        let items = field.list ?? []
        var result: [String] = []
        for item in items {
            guard let text = item.text else { continue }
            let origin = Origin.serialized(text)
            if origin == CrossOriginRules.anyOrigin, credentials {
                self.report(
                    "cannot be * with credentials: browsers refuse that (Fetch); name the origins, or remove credentials",
                    at: item)
            } else if origin == CrossOriginRules.anyOrigin, items.count > 1 {
                self.report("* allows every origin: remove it, or the others", at: item)
            } else if result.contains(origin) {
                self.report("is written twice: remove one", at: item)
            }
            result.append(origin)
        }
        return result
    }

    /// `*` in a list: with credentials browsers take it for a name, and it never covers Authorization.
    private mutating func checkWildcard(_ field: Field?, always: Bool) {
        guard let item = field?.list?.first(where: { $0.text == "*" }) else { return }
        self.report(
            always
                ? "* does not cover Authorization, and means nothing with credentials: without this key everything is "
                    + "allowed that is asked for and declared"
                : "* means nothing with credentials: name the headers", at: item)
    }

    /// Methods are case-sensitive; browsers put only some of them in capitals.
    private mutating func checkMethods(_ field: Field?) {
        for item in field?.list ?? [] {
            guard let text = item.text, Method(name: text) == nil, Method(name: text.uppercased()) != nil else {
                continue
            }
            self.report("methods are case-sensitive", at: item, suggestion: text.uppercased())
        }
    }

    // MARK: - Warnings

    private mutating func warnOfCors(_ field: Field, _ rules: CrossOriginRules, hasIssuers: Bool) {
        for item in field["origins"]?.list ?? [] {
            guard let text = item.text else { continue }
            if text == Origin.opaque {
                self.warn(
                    "every sandboxed frame and every file is this origin: anybody can make one", at: item.mark,
                    path: item.path)
            } else if Origin.isOpenToTampering(text) {
                self.warn(
                    "whoever is on the way to an http page can change it, and call from it: use https", at: item.mark,
                    path: item.path)
            }
        }
        if rules.credentials, rules.origins.count > Self.manyOrigins, let item = field["credentials"] {
            self.warn(
                "a page of any of these \(rules.origins.count) origins can call with the user's cookies; tokens need no "
                    + "credentials: remove it unless the service reads cookies", at: item.mark, path: item.path)
        }
        let allowsToken = rules.headers.isEmpty || rules.headers.contains { $0.lowercased() == "authorization" }
        if hasIssuers, !allowsToken, let item = field["headers"] {
            self.warn("without Authorization no page can send a token", at: item.mark, path: item.path)
        }
    }

    /// From here on it is worth a warning that each of them may use the user's cookies.
    private static let manyOrigins = 3
}
