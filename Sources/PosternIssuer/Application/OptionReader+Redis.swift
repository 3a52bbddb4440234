import PosternCore

extension OptionReader {
    /// Where revocations are published; nil if nowhere.
    mutating func redis() -> RedisConfiguration? {
        let prefix = self.options.redisKeyPrefix ?? self.environment.value("REDIS_KEY_PREFIX")
        let ca = self.options.redisCA ?? self.environment.value("REDIS_CA")
        let password = self.environment.value("REDIS_PASSWORD")
        guard let text = self.options.redis ?? self.environment.value("REDIS") else {
            let lonely = [
                ("--redis-key-prefix", prefix), ("--redis-ca", ca), ("POSTERN_ISSUER_REDIS_PASSWORD", password),
            ]
            for (name, value) in lonely where value != nil {
                self.problems.append("\(name) does nothing without --redis; leave it out")
            }
            return nil
        }
        if prefix == "" { self.problems.append("--redis-key-prefix must not be empty") }
        guard let url = self.redisURL(text, password: password) else { return nil }
        if ca != nil, !url.usesTLS {
            self.problems.append("--redis-ca does nothing without TLS: --redis must be rediss://, or leave it out")
        }
        var configuration = RedisConfiguration(url: url, ca: ca)
        if let prefix { configuration.keyPrefix = prefix }
        return configuration
    }

    /// Says nothing of what the URL holds: a password may stand anywhere in it.
    private mutating func redisURL(_ text: String, password: String?) -> RedisURL? {
        do throws(SyntaxProblem) {
            var url = try RedisURL(text, passwordKey: "POSTERN_ISSUER_REDIS_PASSWORD")
            if let password {
                if url.password != nil {
                    self.problems.append("--redis has a password already: unset POSTERN_ISSUER_REDIS_PASSWORD")
                }
                url.password = Secret(password)
            }
            if url.user != nil, url.password == nil {
                self.problems.append(
                    "--redis names a user without a password: user:password@, or set POSTERN_ISSUER_REDIS_PASSWORD")
            }
            return url
        } catch {
            self.problems.append("--redis: \(error.message)")
            return nil
        }
    }
}
