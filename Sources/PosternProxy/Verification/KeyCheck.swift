import PosternCore
import PosternCrypto

/// Looks at the keys and certificates that come with a configuration as libcrypto does: a PEM file that holds none, or a
/// point that is not on its curve, shows only there.
enum KeyCheck {
    /// Errors for keys that cannot be used, warnings for those that are left out of a set.
    static func problems(of configuration: Configuration) -> [ConfigurationProblem] {
        configuration.issuers.flatMap { Self.problems(of: $0) } + Self.redisProblems(of: configuration)
            + TLSCheck.problems(of: configuration, now: SystemClock.unixTime)
    }

    private static func redisProblems(of configuration: Configuration) -> [ConfigurationProblem] {
        guard let redis = configuration.redis else { return [] }
        do {
            _ = try RedisSetup(redis)
            return []
        } catch {
            return [ConfigurationProblem(mark: redis.mark, path: "redis", message: "\(error)")]
        }
    }

    private static func problems(of issuer: Configuration.Issuer) -> [ConfigurationProblem] {
        let path = "issuers.\(issuer.name).\(issuer.keys == nil ? "introspection" : "keys")"
        do {
            _ = try TrustedIssuer(issuer)
        } catch {
            return [ConfigurationProblem(mark: issuer.validationMark, path: path, message: "\(error)")]
        }
        guard let keys = issuer.keys else { return [] }
        return Self.skipped(keys).map { skipped in
            let message = "key \(skipped.index) is not used: \(skipped.reason)"
            return ConfigurationProblem(.warning, mark: issuer.validationMark, path: path, message: message)
        }
    }

    /// The keys that only libcrypto leaves out; what shows without it, the loader has said.
    private static func skipped(_ keys: Configuration.Keys) -> [JWKSet.Skipped] {
        let set: JWKSet?
        switch keys {
        case .file(let file): set = try? JWKSet(file.bytes.span.bytes)
        case .inline(let json): set = try? JWKSet(json: json)
        case .remote, .secret: set = nil
        }
        guard let set else { return [] }
        return KeySet<PublicKey>.load(set).skipped.filter { !set.skipped.contains($0) }
    }
}
