extension ConfigurationDecoder {
    mutating func redis(_ root: Field) -> Configuration.Redis? {
        guard let field = root["redis"] else { return nil }
        let seals = self.seals(field)
        let ca = field["ca"].flatMap { self.reader.readFile($0) }
        guard let urlField = field["url"], let url = urlField.redis else { return nil }
        let password = self.password(field, url: url, at: urlField)
        self.checkTransport(url, hasPassword: password != nil, at: urlField, ca: field["ca"])
        guard let timeout = field["timeout"]?.duration, let prefix = field["key_prefix"]?.text, !seals.isEmpty else {
            return nil
        }
        return Configuration.Redis(
            topology: url.topology, usesTLS: url.usesTLS, ca: ca, user: url.user, password: password,
            database: url.database, timeout: timeout, keyPrefix: prefix, seals: seals,
            mark: field.mark)
    }

    private mutating func seals(_ field: Field) -> [Secret] {
        let items = (field["seal"]?.list ?? []).filter { $0.secret != nil }
        for (index, item) in items.enumerated() {
            guard let other = items[..<index].first(where: { $0.secret == item.secret }) else { continue }
            self.report("is the same secret as \(other.path): remove it", at: item)
        }
        return items.compactMap(\.secret)
    }

    /// The password, of the URL or of its own key. Without one a user cannot log in.
    private mutating func password(_ field: Field, url: RedisURL, at urlField: Field) -> Secret? {
        let own = field["password"]
        if let own, url.password != nil {
            self.report("redis.url has a password already: keep one of the two", at: own)
        } else if own == nil, url.user != nil, url.password == nil,
            !self.reader.hasProblem(under: "\(field.path).password")
        {
            self.report("names a user without a password: user:password@, or give redis.password", at: urlField)
        }
        return url.password ?? own?.secret
    }

    private mutating func checkTransport(_ url: RedisURL, hasPassword: Bool, at field: Field, ca: Field?) {
        guard !url.usesTLS else { return }
        if let ca { self.warn("has no effect: Redis is reached without TLS", at: ca.mark, path: ca.path) }
        guard let host = url.nodes.map(\.host).first(where: { !URLReference.isPrivate(host: $0) }) else { return }
        let whatIsSeen = hasPassword ? "see the password and change revocations" : "change revocations"
        self.warn(
            "Redis is reached without TLS at \(host): whoever is on the way can \(whatIsSeen); use rediss",
            at: field.mark, path: field.path)
    }
}

// MARK: - Redis and issuers

extension ConfigurationDecoder {
    /// `revocation` needs Redis, wherever it is written.
    mutating func noteRevocation(_ field: Field) {
        guard let revocation = field.written("revocation"), revocation.word != "off" else { return }
        self.needsRedis.append(revocation)
    }

    /// What issuers want of Redis, and whether anybody wants anything.
    mutating func checkRedis(root: Field) {
        guard let redis = root["redis"] else {
            // Redis that is there but broken is one problem.
            guard !self.reader.hasProblem(under: "redis") else { return }
            for field in self.needsRedis {
                self.report("needs redis, which is not configured: add redis: {url: …, seal: …}", at: field)
            }
            return
        }
        let introspections = (root["issuers"]?.entries ?? []).compactMap { $0.field["introspection"] }
        for introspection in introspections { self.checkTimeouts(introspection, redis: redis) }
        if introspections.isEmpty, self.needsRedis.isEmpty, !self.reader.hasProblem(under: "issuers") {
            self.warn(
                "has no effect: no issuer is validated by introspection, and none has \"revocation: redis\"",
                at: redis.mark, path: redis.path)
        }
    }

    /// A Redis that does not answer must leave time to ask the issuer: no request fails because of it.
    private mutating func checkTimeouts(_ introspection: Field, redis: Field) {
        guard let own = introspection["timeout"], let asking = own.duration, let other = redis["timeout"],
            let waiting = other.duration, asking <= waiting
        else { return }
        if own.isWritten {
            self.report("must be longer than redis.timeout (\(Nanoseconds.text(waiting)))", at: own)
        } else {
            self.report("must be shorter than \(own.path) (\(Nanoseconds.text(asking)))", at: other)
        }
    }
}

extension RedisURL {
    /// The servers that the URL names.
    var nodes: [Configuration.Redis.Node] {
        switch self.topology {
        case .single(let node): [node]
        case .sentinel(let nodes, _), .cluster(let nodes): nodes
        }
    }
}
