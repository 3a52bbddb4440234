import PosternCore
import PosternCrypto

/// Looks at the keys that come with a configuration: what is wrong with them shows only when libcrypto takes them.
enum KeyCheck {
    /// Errors for keys that cannot be used, warnings for those that are left out of a set.
    static func problems(of configuration: Configuration) -> [ConfigurationProblem] {
        configuration.issuers.flatMap { Self.problems(of: $0) }
    }

    private static func problems(of issuer: Configuration.Issuer) -> [ConfigurationProblem] {
        let path = "issuers.\(issuer.name).keys"
        func problem(_ severity: ConfigurationProblem.Severity, _ message: String) -> ConfigurationProblem {
            ConfigurationProblem(severity, mark: issuer.keysMark, path: path, message: message)
        }
        do {
            _ = try LocalIssuer(issuer)
        } catch {
            return [problem(.error, "\(error)")]
        }
        return Self.skipped(issuer.keys).map { skipped in
            let name = skipped.keyID.map { " (kid \"\($0)\")" } ?? ""
            return problem(.warning, "key \(skipped.index + 1) of the set\(name) is left out: \(skipped.reason)")
        }
    }

    private static func skipped(_ keys: Configuration.Keys) -> [JWKSet.Skipped] {
        switch keys {
        case .file(let file):
            return (try? KeySet<PublicKey>.load(file: file.bytes))?.skipped ?? []
        case .inline(let json):
            return (try? JWKSet(json: json)).map { KeySet<PublicKey>.load($0).skipped } ?? []
        case .remote, .secret:
            return []
        }
    }
}
