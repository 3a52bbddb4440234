import Synchronization

/// What the issuer counts while it runs. Every label comes from a closed set: grants, error codes, route templates.
final class IssuerMetrics: Sendable {
    /// Who is asked about a token.
    enum Introspection: String, Sendable {
        /// `POST /auth/introspect`.
        case hecate
        /// `POST /oauth/introspect` (RFC 7662).
        case oauth
    }

    /// What became of a question about a token.
    enum IntrospectionResult: String, Sendable {
        case active
        case inactive
        /// Whoever asked may not.
        case refused
    }

    struct TokenKey: Hashable, Comparable {
        var grant: String
        var isIssued: Bool
        /// Empty where it was issued.
        var reason: String

        static func < (left: TokenKey, right: TokenKey) -> Bool {
            (left.grant, left.reason) < (right.grant, right.reason)
        }
    }

    struct RequestKey: Hashable, Comparable {
        var route: String
        /// The first digit of the status; 0: there was no answer of the router, because the connection ended.
        var statusClass: Int

        static func < (left: RequestKey, right: RequestKey) -> Bool {
            (left.route, left.statusClass) < (right.route, right.statusClass)
        }
    }

    struct Counts {
        var tokens: [TokenKey: UInt64] = [:]
        var logins: [Bool: UInt64] = [true: 0, false: 0]
        var revocations: [AuditEntry.Action: UInt64] = [:]
        var introspections: [Introspection: [IntrospectionResult: UInt64]] = [:]
        var requests: [RequestKey: DurationHistogram] = [:]
        var limiterFallbacks: UInt64 = 0
    }

    /// Reasons are error codes, of which there are few; should something else ever get among them, it ends here.
    private static let mostReasons = 64

    private let state = Mutex(Counts())

    /// All counts at one moment.
    var counts: Counts { self.state.withLock { $0 } }

    /// Counts what the audit log says: tokens, logins and revocations.
    func count(_ entry: AuditEntry) {
        let grant: String? =
            switch entry.action {
            case .tokenIssued: "client_credentials"
            case .userLogin: "password"
            case .userRefresh: "refresh_token"
            default: nil
            }
        self.state.withLock { counts in
            if let grant { Self.count(entry, grant, in: &counts) }
            if case .userLogin = entry.action { counts.logins[entry.isAllowed, default: 0] += 1 }
            if entry.isAllowed, entry.action.endsTokens { counts.revocations[entry.action, default: 0] += 1 }
        }
    }

    private static func count(_ entry: AuditEntry, _ grant: String, in counts: inout Counts) {
        var key = TokenKey(
            grant: grant, isIssued: entry.isAllowed, reason: entry.isAllowed ? "" : entry.reason ?? "unknown")
        if counts.tokens[key] == nil, counts.tokens.count >= Self.mostReasons { key.reason = "other" }
        counts.tokens[key, default: 0] += 1
    }

    /// Counts a question about a token.
    func introspected(_ kind: Introspection, _ result: IntrospectionResult) {
        self.state.withLock { $0.introspections[kind, default: [:]][result, default: 0] += 1 }
    }

    /// Counts a rate that was limited by this process alone, because Redis did not answer.
    func limiterFellBack() {
        self.state.withLock { $0.limiterFallbacks += 1 }
    }

    /// Counts a request.
    ///
    /// - Parameters:
    ///   - route: The template of the route, never the path.
    ///   - status: The status of the answer; 0: there was none.
    ///   - duration: Seconds.
    func requested(_ route: String, status: Int, duration: Double) {
        let key = RequestKey(route: route, statusClass: status / 100)
        self.state.withLock { $0.requests[key, default: DurationHistogram()].record(duration) }
    }
}

extension AuditEntry.Action {
    /// Whether tokens or keys are worth nothing afterwards.
    fileprivate var endsTokens: Bool {
        switch self {
        case .tokenRevoked, .userLogoutAll, .userRemoved, .clientRemoved, .serviceKeyRevoked: true
        default: false
        }
    }
}
