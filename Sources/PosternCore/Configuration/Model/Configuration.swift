/// The whole of proxy.yaml, typed and validated. Durations are nanoseconds, sizes are bytes.
///
/// A value of this type comes from `ConfigurationLoader`. What proxy.yaml may say but this version cannot do yet is
/// refused there, so there is no member for it.
public struct Configuration: Equatable, Sendable {
    /// At least one; no two have the same address.
    public var listen: [Listener]
    public var upstream: Upstream
    public var admin: Admin
    /// In the order of the file. Names and `iss` values are unique.
    public var issuers: [Issuer]
    /// Without it each process caches alone, and no revocations are heard of.
    public var redis: Redis?
    /// The headers that are inserted. The default names are stripped whatever this says.
    public var identity: [IdentityHeader]
    /// Whether the Authorization header is passed on, where a route does not say otherwise.
    public var forwardToken: Bool
    /// For requests that no route declares.
    public var defaultAccess: DefaultAccess
    public var cors: Cors
    /// In the order of the file. No two are the same but for parameter names.
    public var routes: [Route]
    /// Which odd paths are let through.
    public var paths: TargetOptions
    public var limits: Limits
    public var timeouts: Timeouts
    public var tunnelAtExpiry: TunnelAtExpiry
    public var log: Log
    /// Nil: no request is recorded.
    public var tracing: Tracing?
    /// How many event loops; nil (`auto`): as many as the CPUs this process may use.
    public var eventLoops: Int?
    /// Which peers are believed when they say whom they speak for. Empty: none.
    public var trustedProxies: TrustedProxies
    /// The realm of challenges: printable ASCII without `"` and `\`.
    public var realm: String
    /// This service's name in logs and metrics.
    public var service: String
}

extension Configuration {
    /// One entry of `listen`.
    public struct Listener: Equatable, Sendable {
        public var address: Address
        /// Whether every connection begins with a PROXY header. Then at least one proxy is trusted.
        public var proxyProtocol = false
        /// Nil: cleartext.
        public var tls: ServerTLS?
        public var mark: Mark
    }

    /// The admin listeners.
    public struct Admin: Equatable, Sendable {
        /// Health, readiness, metrics and the effective policy.
        public var address: Address
        /// A second listener with health, readiness and metrics alone.
        public var status: Address?
        public var mark: Mark
    }

    /// What happens to a request that no route declares.
    public enum DefaultAccess: String, Equatable, Sendable, CaseIterable {
        case deny
        case authenticated
        case open = "public"

        /// The same as a route would say it.
        public var access: Access {
            switch self {
            case .deny: .denied
            case .authenticated: .required(Requirement())
            case .open: .open
            }
        }
    }

    /// What happens to a tunnel whose token expires or is revoked.
    public enum TunnelAtExpiry: String, Equatable, Sendable, CaseIterable {
        case close
        case keep
    }

    /// Cross-origin requests of browsers.
    public struct Cors: Equatable, Sendable {
        /// What a CORS preflight gets.
        public enum Preflight: Equatable, Sendable {
            /// It is a request like any other: without a route for OPTIONS it is refused.
            case deny
            /// The service answers it, without a token.
            case forward
            /// The proxy answers it.
            case answer(CrossOriginRules)
        }

        public var preflight: Preflight

        /// Nil where the proxy does not answer preflights.
        public var rules: CrossOriginRules? {
            if case .answer(let rules) = self.preflight { rules } else { nil }
        }
    }

    public struct Log: Equatable, Sendable {
        /// The levels of swift-log.
        public enum Level: String, Equatable, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }

        /// Which requests get an access log line.
        public enum Access: String, Equatable, Sendable, CaseIterable {
            case all
            /// Those that Postern itself refused.
            case denied
            case off
        }

        public var level: Level
        public var access: Access
    }
}
