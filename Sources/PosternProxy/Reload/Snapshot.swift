import AsyncHTTPClient
import NIOCore
import PosternCore
import PosternCrypto
import Synchronization

/// One loaded and checked proxy.yaml, compiled: immutable, shared by all event loops, swapped whole.
final class Snapshot: Sendable {
    let configuration: Configuration
    let gate: Gate
    let answer: Answer
    let headLimits: HeadLimits
    let issuers: [TrustedIssuer]
    /// The same for choosing among them.
    let candidates: [IssuerChoice.Candidate]
    /// Nil where no Redis is configured.
    let redis: RedisSetup?
    /// Nil where no request is recorded.
    let tracing: TraceSetup?
    let upstreams: [UpstreamTarget]
    /// The number in `RouteLabels` by route index.
    let labelNumbers: [Int]
    /// The labels as the access log writes them: by route index, and for what no route declares.
    private let logLabels: [[UInt8]]
    private let logFallback: [UInt8]
    let timeouts: Configuration.Timeouts
    let logAccess: Configuration.Log.Access
    /// Whose forwarding lines are believed; nil: nobody's.
    let trustedProxies: TrustedProxies?
    /// Whether responses get the proxy's CORS lines.
    let answersCrossOrigin: Bool

    /// How many there are in the process: the one in force, and those by which a request in flight is still judged.
    static var count: Int { Self.living.load(ordering: .relaxed) }
    private static let living = Atomic<Int>(0)

    /// - Throws: `SnapshotError`: the configuration was checked, so only what cannot be known before is left, such as a
    ///   key that libcrypto does not take.
    init(_ configuration: Configuration, generation: Int, labels: RouteLabels, loops: Int) throws {
        self.configuration = configuration
        self.timeouts = configuration.timeouts
        self.logAccess = configuration.log.access
        self.trustedProxies = configuration.trustedProxies.isEmpty ? nil : configuration.trustedProxies
        self.answersCrossOrigin = configuration.cors.rules != nil
        self.answer = Answer(realm: configuration.realm)
        self.headLimits = HeadLimits(
            head: configuration.limits.head, target: configuration.limits.target,
            fields: configuration.limits.headers)
        self.issuers = try configuration.issuers.map { try TrustedIssuer($0) }
        self.candidates = self.issuers.map(\.candidate)
        self.redis = try configuration.redis.map { try RedisSetup($0) }
        self.tracing = try configuration.tracing.map { try TraceSetup($0) }
        var upstreams = [try UpstreamTarget(configuration.upstream, timeouts: configuration.timeouts, loops: loops)]
        var indexes: [Configuration.Upstream: Int] = [:]
        func index(of upstream: Configuration.Upstream?) throws -> Int {
            guard let upstream else { return 0 }
            if let known = indexes[upstream] { return known }
            let target = try UpstreamTarget(upstream, timeouts: configuration.timeouts, loops: loops)
            let index = upstreams.firstIndex(of: target) ?? upstreams.count
            if index == upstreams.count { upstreams.append(target) }
            indexes[upstream] = index
            return index
        }
        let rules = try configuration.routes.map { route in
            RouteRules(
                label: route.pattern.text,
                responseTimeout: route.timeout ?? configuration.timeouts.response,
                bodyLimit: (route.body ?? configuration.limits.body).bytes,
                forwardToken: route.forwardToken ?? configuration.forwardToken, upstream: try index(of: route.upstream),
                upgrades: route.upgrade.map { Array($0.utf8) })
        }
        self.upstreams = upstreams
        self.labelNumbers = rules.map { labels.number(of: $0.label) }
        self.logLabels = rules.map { JSONLine.escaped($0.label) }
        self.logFallback = JSONLine.escaped("default")
        self.gate = Gate(
            target: configuration.paths, tokenLimit: configuration.limits.token,
            routes: try RouteTable(configuration.routes.map(\.pattern)),
            policy: PolicyCatalogue(
                configuration.routes.map { ($0.pattern, $0.access) }, default: configuration.defaultAccess.access),
            rules: rules,
            fallback: RouteRules(
                label: "default", responseTimeout: configuration.timeouts.response,
                bodyLimit: configuration.limits.body.bytes, forwardToken: configuration.forwardToken, upstream: 0),
            identity: IdentityRules(headers: configuration.identity, limit: configuration.limits.identity),
            generation: generation, crossOrigin: configuration.crossOrigin)
        Self.living.add(1, ordering: .relaxed)
    }

    deinit {
        Self.living.subtract(1, ordering: .relaxed)
    }

    /// A route's label as the access log writes it.
    func logLabel(of route: Int) -> [UInt8] {
        route < 0 ? self.logFallback : self.logLabels[route]
    }

    /// The number of a route's label in metrics.
    func labelNumber(of route: Int) -> Int {
        route < 0 ? RouteLabels.fallback : self.labelNumbers[route]
    }
}

extension Configuration {
    /// What is done for cross-origin requests; nil: nothing.
    fileprivate var crossOrigin: CrossOrigin? {
        self.cors.preflight == .deny ? nil : CrossOrigin(self.cors.rules, patterns: self.routes.map(\.pattern))
    }
}

extension Configuration.BodyLimit {
    /// Bytes, or nil for no limit.
    var bytes: Int64? {
        switch self {
        case .unlimited: nil
        case .bytes(let count): Int64(count)
        }
    }
}
