import PosternCore

/// The counters of one event loop: plain integers that only this loop writes. The admin listener asks each loop for a
/// copy and adds them up.
struct LoopMetrics: Sendable {
    /// By route, method and status.
    var requests = CounterTable()
    /// By route and decision (`permit`, a refusal's code, or what a preflight got).
    var decisions = CounterTable()
    /// Milliseconds and so on of whole requests.
    var requestDuration = Histogram()
    /// From the upstream's request to its response head.
    var upstreamDuration = Histogram()
    var cacheHits: UInt64 = 0
    var cacheMisses: UInt64 = 0
    /// Tokens that were found among those that introspection did not accept.
    var cacheRejections: UInt64 = 0
    /// Requests that a verdict past its time served, because the issuer could not be asked.
    var staleServed: UInt64 = 0
    var redis = RedisCounts()
    var tunnels = TunnelCounts()
    var spoofedRequests: UInt64 = 0
    var proxyHeaders = ProxyHeaderCounts()
    var downstreamConnections = 0
    var upstreamConnections = 0
    var upstreamRetries: UInt64 = 0
    var upstreamConnectFailures: UInt64 = 0
    /// Of clients, by how they ended.
    var handshakes: UInt64 = 0
    var failedHandshakes: UInt64 = 0
    /// Requests of HTTP/2 that were malformed, so that their streams were reset.
    var malformedStreams: UInt64 = 0
    var poolWaiting = 0
    /// Requests that had to wait for a connection that was in use, or on its way for another.
    var poolQueued: UInt64 = 0
    var cachedTokens = 0
    var rejectedTokens = 0
    var revocations = 0

    /// The decision index that stands for "let through"; refusals follow in the order of their declaration.
    static let permit = 0

    static func index(of code: RefusalCode) -> Int {
        Self.indexes[code] ?? 0
    }
    private static let indexes: [RefusalCode: Int] = Dictionary(
        uniqueKeysWithValues: RefusalCode.allCases.enumerated().map { ($1, $0 + 1) })

    /// Preflights that the proxy answered follow the refusals.
    static func index(of preflight: ExchangeRecord.Preflight) -> Int {
        preflight == .none ? Self.permit : RefusalCode.allCases.count + Int(preflight.rawValue)
    }

    /// `permit`, the codes, and what preflights get, by index.
    static let decisionNames =
        ["permit"] + RefusalCode.allCases.map(\.rawValue)
        + [ExchangeRecord.Preflight.allowed, .denied].compactMap(\.code)

    /// Counts a request that is over; durations in nanoseconds.
    mutating func finished(_ key: UInt64, duration: Int64, upstream: Int64?) {
        self.requests.increment(key)
        self.requestDuration.record(duration)
        if let upstream { self.upstreamDuration.record(upstream) }
    }

    static func requestKey(route: Int, method: Method, status: Int) -> UInt64 {
        1 << 63 | UInt64(route) << 24 | UInt64(method.rawValue) << 16 | UInt64(status)
    }

    static func decisionKey(route: Int, decision: Int) -> UInt64 {
        1 << 63 | UInt64(route) << 24 | UInt64(decision)
    }
}
