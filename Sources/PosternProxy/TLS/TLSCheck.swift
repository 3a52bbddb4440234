import NIOSSL
import PosternCore

/// Looks at certificates and private keys as libssl does: what no handshake could be made with is an error before there is
/// one, and what peers will not accept a warning.
enum TLSCheck {
    /// - Parameter now: Unix seconds.
    static func problems(of configuration: Configuration, now: Double) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        for listener in configuration.listen {
            guard let tls = listener.tls else { continue }
            problems += Self.problems { () throws(TLSContexts.Problem) in _ = try TLSContexts.server(tls) }
            problems += Self.warnings(tls.identity, now: now)
        }
        // Routes often share a service; what is the same is looked at once.
        var seen: Set<Configuration.Upstream> = []
        for upstream in [configuration.upstream] + configuration.routes.compactMap(\.upstream) {
            guard let tls = upstream.tls, seen.insert(upstream).inserted else { continue }
            problems += Self.problems { () throws(TLSContexts.Problem) in
                _ = try TLSContexts.client(tls, upstream: upstream.mark)
            }
            if let identity = tls.identity { problems += Self.warnings(identity, now: now) }
        }
        return problems
    }

    private static func problems(_ make: () throws(TLSContexts.Problem) -> Void) -> [ConfigurationProblem] {
        do throws(TLSContexts.Problem) {
            try make()
            return []
        } catch {
            return [ConfigurationProblem(mark: error.mark, path: error.key, message: error.message)]
        }
    }

    /// A certificate out of its time is no error: the clock may be wrong, and a proxy that does not start helps nobody.
    private static func warnings(_ identity: Configuration.TLSIdentity, now: Double) -> [ConfigurationProblem] {
        let file = identity.certificate
        guard let chain = try? TLSContexts.certificates(file),
            let trouble = chain.lazy.compactMap({ TLSTrouble.validity(of: $0, now: now) }).first
        else { return [] }
        return [
            ConfigurationProblem(
                .warning, mark: file.mark, path: file.key,
                message: "\"\(file.path)\": \(trouble): nobody will accept it")
        ]
    }
}
