extension ConfigurationDecoder {
    /// Where an issuer's keys come from; `field` is its `keys`.
    mutating func keys(_ field: Field, issuer: Field?) -> Configuration.Keys? {
        if let url = field["url"] {
            self.checkFetch(url, of: field)
            guard let reference = url.url else { return nil }
            return self.remote(
                .url(reference.text), isCleartext: reference.scheme == "http", field: field)
        }
        if let discover = field["discover"] {
            guard discover.boolean == true else {
                self.report("must be true: name another kind of keys instead", at: discover)
                return nil
            }
            return self.discovery(field, issuer: issuer, discover: discover)
        }
        self.checkFetchOptions(field)
        if let file = field["file"] {
            guard let content = self.reader.readFile(file) else { return nil }
            self.checkKeys(content, at: file)
            return .file(content)
        }
        if let inline = field["inline"], let json = inline.json {
            self.checkKeys(json, at: inline)
            return .inline(json)
        }
        return field["secret"]?.secret.map { .secret($0) }
    }

    private mutating func discovery(_ field: Field, issuer: Field?, discover: Field) -> Configuration.Keys? {
        guard let issuer, let text = issuer.text else { return nil }
        guard let url = try? URLReference(text), url.scheme == "https" || url.scheme == "http",
            url.userinfo == nil, !url.rest.contains("?"), !url.rest.contains("#")
        else {
            self.report("needs an issuer that is an http or https URL without query", at: discover)
            return nil
        }
        self.warnAboutCleartext(url, at: discover)
        return self.remote(.discovery(issuer: text), isCleartext: url.scheme == "http", field: field)
    }

    private mutating func remote(
        _ source: Configuration.RemoteKeys.Source, isCleartext: Bool, field: Field
    ) -> Configuration.Keys? {
        let ca = field["ca"].flatMap { self.reader.readFile($0) }
        if let ca = field["ca"], isCleartext {
            self.warn("has no effect: the keys are fetched over http", at: ca.mark, path: ca.path)
        }
        let headers = self.headers(field)
        guard let refresh = field["refresh"]?.duration, let timeout = field["timeout"]?.duration,
            let stale = field["max_stale"], let maxStale = stale.duration
        else { return nil }
        if maxStale < refresh {
            self.report("cannot be shorter than refresh (\(Nanoseconds.text(refresh)))", at: stale)
        }
        return .remote(
            Configuration.RemoteKeys(
                source: source, refresh: refresh, timeout: timeout, maxStale: maxStale, ca: ca, headers: headers,
                allowsCleartext: isCleartext))
    }

    /// The `headers` of `field`, which go with what is sent to a server that the operator names.
    mutating func headers(_ field: Field) -> [Configuration.RemoteKeys.Header] {
        var headers: [Configuration.RemoteKeys.Header] = []
        for entry in field["headers"]?.entries ?? [] {
            if FieldNames.framing.contains(FieldNames.folded(entry.key)) {
                self.reader.report("HTTP itself sets this header", at: entry.mark, path: entry.field.path)
            }
            guard let value = entry.field.secret else { continue }
            if !value.bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) {
                self.report("must be \(TextFormat.fieldValue.description)", at: entry.field)
            }
            headers.append(Configuration.RemoteKeys.Header(name: entry.key, value: value))
        }
        return headers
    }

    private mutating func checkFetch(_ field: Field, of keys: Field) {
        guard let url = field.url else { return }
        if url.userinfo != nil {
            self.report("cannot hold credentials: send them with keys.headers", at: field)
        }
        if url.rest.contains("#") { self.report("cannot hold a fragment (\"#…\")", at: field) }
        self.warnAboutCleartext(url, at: field)
    }

    private mutating func warnAboutCleartext(_ url: URLReference, at field: Field) {
        guard url.scheme == "http", !url.isPrivateHost else { return }
        self.warn(
            "keys come over http from \(url.host): whoever is on the way can replace them; use https",
            at: field.mark, path: field.path)
    }

    /// What only a fetch needs, where nothing is fetched.
    private mutating func checkFetchOptions(_ field: Field) {
        for key in ["refresh", "timeout", "max_stale", "ca", "headers"] {
            guard let option = field.written(key) else { continue }
            self.report("has a meaning only with url or discover: remove it", at: option)
        }
    }
}
