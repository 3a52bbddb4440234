import PosternCore

// Requests, refusals, durations and caches.
extension StatusDocument {
    func traffic(_ routes: [RouteCounts]) -> JSONValue {
        var total = RouteCounts(label: "")
        for route in routes { total.add(route) }
        return .members([
            ("requests", .whole(total.requests)), ("permitted", .whole(total.permitted)),
            ("refused", .whole(total.refused)), ("spoofed_headers", .whole(self.sum(\.spoofedRequests))),
            ("statuses", total.statusesJSON),
            ("refusals", .array(total.refusals.map(Self.refusal))),
            ("latency", self.latency),
        ])
    }

    private static func refusal(_ code: String, _ count: UInt64) -> JSONValue {
        .members([
            ("code", .string(code)), ("status", RefusalCode(rawValue: code).map { .whole($0.status) }),
            ("count", .whole(count)),
        ])
    }

    private var latency: JSONValue {
        var whole = Histogram()
        var upstream = Histogram()
        for loop in self.gathered.loops {
            whole.add(loop.requestDuration)
            upstream.add(loop.upstreamDuration)
        }
        return .members([
            ("bounds_seconds", .array(Histogram.bounds.map { .number($0, text: "\($0)") })),
            ("requests", .array(whole.buckets.map { .whole($0) })),
            ("upstream", .array(upstream.buckets.map { .whole($0) })),
        ])
    }

    var cache: JSONValue {
        var tiers: [JSONValue] = [
            .members([
                ("name", .string("l1")), ("hit", .whole(self.sum(\.cacheHits))),
                ("miss", .whole(self.sum(\.cacheMisses))), ("negative", .whole(self.sum(\.cacheRejections))),
                ("stale", .whole(self.sum(\.staleServed))),
            ])
        ]
        if self.configuration.redis != nil {
            tiers.append(
                .members([
                    ("name", .string("redis")), ("hit", .whole(self.sum(\.redis.hits))),
                    ("miss", .whole(self.sum(\.redis.misses))), ("expired", .whole(self.sum(\.redis.expired))),
                    ("rejected", .whole(self.sum(\.redis.rejected))), ("error", .whole(self.sum(\.redis.errors))),
                ]))
        }
        return .members([
            ("entries", .whole(self.sum(\.cachedTokens))), ("negatives", .whole(self.sum(\.rejectedTokens))),
            ("tiers", .array(tiers)),
        ])
    }
}

/// The counters of one route over all event loops.
struct RouteCounts: Sendable {
    /// As in metrics.
    let label: String
    var requests: UInt64 = 0
    /// By the first digit of the status.
    private var statuses: [Int: UInt64] = [:]
    /// By index in `LoopMetrics.decisionNames`.
    private var decisions: [Int: UInt64] = [:]

    init(label: String) {
        self.label = label
    }

    /// Of every route that had a request, in the order of the labels' numbers.
    static func all(of gathered: MetricsText.Gathered) -> [RouteCounts] {
        var requests: [UInt64: UInt64] = [:]
        var decisions: [UInt64: UInt64] = [:]
        for loop in gathered.loops {
            loop.requests.add(to: &requests)
            loop.decisions.add(to: &decisions)
        }
        var routes: [Int: RouteCounts] = [:]
        func label(_ number: Int) -> String {
            number < gathered.routeNames.count ? gathered.routeNames[number] : "none"
        }
        for (key, count) in requests {
            let number = Self.route(of: key)
            routes[number, default: RouteCounts(label: label(number))].count(status: Int(key & 0xFFFF), count)
        }
        for (key, count) in decisions {
            let number = Self.route(of: key)
            routes[number, default: RouteCounts(label: label(number))].decisions[Int(key & 0xFF_FFFF), default: 0] &+=
                count
        }
        return routes.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func route(of key: UInt64) -> Int { Int((key & ~(1 << 63)) >> 24) }

    private mutating func count(status: Int, _ count: UInt64) {
        self.requests &+= count
        self.statuses[status / 100, default: 0] &+= count
    }

    mutating func add(_ other: RouteCounts) {
        self.requests &+= other.requests
        self.statuses.merge(other.statuses) { $0 &+ $1 }
        self.decisions.merge(other.decisions) { $0 &+ $1 }
    }

    // MARK: - Output

    var permitted: UInt64 { self.decisions[LoopMetrics.permit] ?? 0 }
    var refused: UInt64 { self.refusals.reduce(0) { $0 &+ $1.count } }

    /// What was refused by the proxy itself, by code, in the order of the codes.
    var refusals: [(code: String, count: UInt64)] {
        RefusalCode.allCases.compactMap { code in
            self.decisions[LoopMetrics.index(of: code)].map { (code.rawValue, $0) }
        }
    }

    /// `{"2xx": 7}`.
    var statusesJSON: JSONValue {
        .members(self.statuses.sorted { $0.key < $1.key }.map { ("\($0.key)xx", .whole($0.value)) })
    }

    var json: JSONValue {
        .members([
            ("route", .string(self.label)), ("requests", .whole(self.requests)),
            ("permitted", .whole(self.permitted)), ("refused", .whole(self.refused)),
            ("statuses", self.statusesJSON),
            ("refusals", .members(self.refusals.map { ($0.code, .whole($0.count)) })),
        ])
    }
}
