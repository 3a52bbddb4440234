import PosternCore

/// Renders the counters of all event loops in the Prometheus text format. Every label comes from a closed set: declared
/// routes, known methods, statuses, refusal codes, configured issuers.
struct MetricsText {
    /// What is gathered for one scrape.
    struct Gathered: Sendable {
        var loops: [LoopMetrics] = []
        var keys: [KeyService.Status] = []
        var introspection = IntrospectionService.Status()
        /// Services that are asked whether they are well.
        var health: [HealthService.Status] = []
        /// Nil where no request was ever recorded.
        var tracing: TracingService.Status?
        /// Nil where no Redis is configured.
        var redisUp: Bool?
        /// Nil where no issuer's revocations count.
        var revocation: RevocationStatus.Report?
        var routeNames: [String] = []
        var reloadsApplied: UInt64 = 0
        var reloadsRefused: UInt64 = 0
        /// Policies in memory.
        var snapshots = 1
        var droppedLogLines: UInt64 = 0
        var refusedConnections: UInt64 = 0
        var draining = false
    }

    private var text = ""

    /// The whole exposition.
    static func render(_ gathered: Gathered) -> String {
        var metrics = MetricsText()
        metrics.requests(gathered)
        metrics.durations(gathered)
        metrics.tokens(gathered)
        metrics.keys(gathered)
        metrics.introspection(gathered)
        metrics.redis(gathered)
        metrics.connections(gathered)
        metrics.health(gathered)
        metrics.tunnels(gathered)
        metrics.spans(gathered)
        metrics.process(gathered)
        return metrics.text
    }

    private mutating func requests(_ gathered: Gathered) {
        var requests: [UInt64: UInt64] = [:]
        var decisions: [UInt64: UInt64] = [:]
        for loop in gathered.loops {
            loop.requests.add(to: &requests)
            loop.decisions.add(to: &decisions)
        }
        self.head("postern_requests_total", "counter", "Requests by route, method and status.")
        for (key, count) in requests.sorted(by: { $0.key < $1.key }) {
            let route = Self.name(gathered, Int((key & ~(1 << 63)) >> 24))
            let method = Method(rawValue: UInt8(truncatingIfNeeded: key >> 16)) ?? .other
            let labels = "route=\"\(route)\",method=\"\(method.name)\",status=\"\(key & 0xFFFF)\""
            self.line("postern_requests_total", labels, "\(count)")
        }
        self.head("postern_decisions_total", "counter", "Decisions by route and code; code \"permit\" was let through.")
        for (key, count) in decisions.sorted(by: { $0.key < $1.key }) {
            let route = Self.name(gathered, Int((key & ~(1 << 63)) >> 24))
            let code = LoopMetrics.decisionNames[Int(key & 0xFF_FFFF)]
            self.line("postern_decisions_total", "route=\"\(route)\",code=\"\(code)\"", "\(count)")
        }
        self.head("postern_spoofed_headers_total", "counter", "Requests that brought a header speaking of identity.")
        self.line("postern_spoofed_headers_total", "", "\(gathered.loops.reduce(0) { $0 + $1.spoofedRequests })")
    }

    private mutating func durations(_ gathered: Gathered) {
        var whole = Histogram()
        var upstream = Histogram()
        for loop in gathered.loops {
            whole.add(loop.requestDuration)
            upstream.add(loop.upstreamDuration)
        }
        self.histogram("postern_request_duration_seconds", "Time from a request's first byte to its end.", whole)
        self.histogram(
            "postern_upstream_duration_seconds", "Time from sending a request to the service to its response head.",
            upstream)
    }

    private mutating func tokens(_ gathered: Gathered) {
        self.head("postern_token_cache_total", "counter", "Look-ups of tokens in a cache tier.")
        func sum(_ count: (LoopMetrics) -> UInt64) -> UInt64 { gathered.loops.reduce(0) { $0 &+ count($1) } }
        let counts: [(tier: String, result: String, count: UInt64)] = [
            ("l1", "hit", sum(\.cacheHits)), ("l1", "miss", sum(\.cacheMisses)),
            ("l1", "negative", sum(\.cacheRejections)), ("l1", "stale", sum(\.staleServed)),
            ("redis", "hit", sum(\.redis.hits)), ("redis", "miss", sum(\.redis.misses)),
            ("redis", "expired", sum(\.redis.expired)), ("redis", "rejected", sum(\.redis.rejected)),
            ("redis", "error", sum(\.redis.errors)),
        ]
        for entry in counts where entry.tier == "l1" || gathered.redisUp != nil {
            self.line(
                "postern_token_cache_total", "tier=\"\(entry.tier)\",result=\"\(entry.result)\"", "\(entry.count)")
        }
        self.head("postern_token_cache_entries", "gauge", "Verified tokens that are kept, over all event loops.")
        self.line("postern_token_cache_entries", "", "\(gathered.loops.reduce(0) { $0 + $1.cachedTokens })")
        self.head("postern_token_cache_negatives", "gauge", "Rejected tokens that are kept, over all event loops.")
        self.line("postern_token_cache_negatives", "", "\(gathered.loops.reduce(0) { $0 + $1.rejectedTokens })")
    }

    private mutating func keys(_ gathered: Gathered) {
        self.head("postern_key_refreshes_total", "counter", "Fetches of an issuer's keys.")
        for status in gathered.keys {
            let issuer = "issuer=\"\(Self.escaped(status.issuer))\""
            self.line("postern_key_refreshes_total", "\(issuer),result=\"success\"", "\(status.successes)")
            self.line("postern_key_refreshes_total", "\(issuer),result=\"failure\"", "\(status.failures)")
        }
        self.head("postern_key_age_seconds", "gauge", "Seconds since an issuer's keys were fetched.")
        for status in gathered.keys {
            guard let age = status.age else { continue }
            let issuer = "issuer=\"\(Self.escaped(status.issuer))\""
            self.line("postern_key_age_seconds", issuer, "\(Double(age / 1_000_000) / 1000)")
        }
    }

    private mutating func introspection(_ gathered: Gathered) {
        let status = gathered.introspection
        self.head(
            "postern_introspections_total", "counter", "Questions to an issuer about a token, by what they led to.")
        for endpoint in status.endpoints {
            for result in IntrospectionEndpoint.Result.allCases {
                let labels = "issuer=\"\(Self.escaped(endpoint.issuer))\",result=\"\(result.rawValue)\""
                self.line("postern_introspections_total", labels, "\(endpoint.counts[result] ?? 0)")
            }
        }
        self.head("postern_introspections_under_way", "gauge", "Questions that wait for an issuer's answer.")
        for endpoint in status.endpoints {
            let issuer = "issuer=\"\(Self.escaped(endpoint.issuer))\""
            self.line("postern_introspections_under_way", issuer, "\(endpoint.underWay)")
        }
        self.head("postern_introspection_circuit_open", "gauge", "1 while an issuer is not asked, because it fails.")
        for endpoint in status.endpoints {
            let issuer = "issuer=\"\(Self.escaped(endpoint.issuer))\""
            self.line("postern_introspection_circuit_open", issuer, endpoint.isOpen ? "1" : "0")
        }
        self.head("postern_introspection_flights", "gauge", "Tokens that are being found out about.")
        self.line("postern_introspection_flights", "", "\(status.flights)")
        self.head("postern_introspection_flights_refused_total", "counter", "Tokens that were one too many for that.")
        self.line("postern_introspection_flights_refused_total", "", "\(status.refusedFlights)")
    }

    private mutating func redis(_ gathered: Gathered) {
        if let isUp = gathered.redisUp {
            self.head("postern_redis_up", "gauge", "1 while every event loop that has tried is connected.")
            self.line("postern_redis_up", "", isUp ? "1" : "0")
        }
        guard let revocation = gathered.revocation else { return }
        self.head("postern_revocations", "gauge", "Revocations that hold.")
        self.line("postern_revocations", "", "\(gathered.loops.first?.revocations ?? 0)")
        self.head("postern_revocation_subscription_up", "gauge", "1 while revocations are loaded and heard of.")
        self.line("postern_revocation_subscription_up", "", revocation.isUp ? "1" : "0")
        self.head("postern_revocation_subscription_down_seconds", "gauge", "Since when they are not.")
        self.line("postern_revocation_subscription_down_seconds", "", "\(revocation.downSeconds)")
        self.head("postern_revocations_malformed_total", "counter", "What was among the revocations and is none.")
        self.line("postern_revocations_malformed_total", "", "\(revocation.malformed)")
    }

    private mutating func connections(_ gathered: Gathered) {
        self.head("postern_connections", "gauge", "Open connections.")
        let downstream = gathered.loops.reduce(0) { $0 + $1.downstreamConnections }
        let upstream = gathered.loops.reduce(0) { $0 + $1.upstreamConnections }
        self.line("postern_connections", "side=\"downstream\"", "\(downstream)")
        self.line("postern_connections", "side=\"upstream\"", "\(upstream)")
        self.head("postern_connections_refused_total", "counter", "Client connections over limits.connections.")
        self.line("postern_connections_refused_total", "", "\(gathered.refusedConnections)")
        self.head("postern_proxy_headers_total", "counter", "Connections of listeners with proxy_protocol.")
        for result in ProxyHeaderCounts.Result.allCases {
            let count = gathered.loops.reduce(0) { $0 &+ $1.proxyHeaders[result] }
            self.line("postern_proxy_headers_total", "result=\"\(result.rawValue)\"", "\(count)")
        }
        self.head("postern_tls_handshakes_total", "counter", "TLS handshakes of clients, by how they ended.")
        let handshakes = gathered.loops.reduce(0) { $0 + $1.handshakes }
        let failed = gathered.loops.reduce(0) { $0 + $1.failedHandshakes }
        self.line("postern_tls_handshakes_total", "result=\"success\"", "\(handshakes)")
        self.line("postern_tls_handshakes_total", "result=\"failure\"", "\(failed)")
        self.head("postern_http2_malformed_requests_total", "counter", "Streams of clients that were reset for that.")
        let malformed = gathered.loops.reduce(0) { $0 &+ $1.malformedStreams }
        self.line("postern_http2_malformed_requests_total", "", "\(malformed)")
        self.head("postern_pool_waiting", "gauge", "Requests that wait for an upstream connection.")
        self.line("postern_pool_waiting", "", "\(gathered.loops.reduce(0) { $0 + $1.poolWaiting })")
        self.head("postern_pool_queued_total", "counter", "Requests that waited for one in use or on its way.")
        self.line("postern_pool_queued_total", "", "\(gathered.loops.reduce(0) { $0 &+ $1.poolQueued })")
        self.head("postern_upstream_connect_failures_total", "counter", "Failed attempts to open one.")
        let failures = gathered.loops.reduce(0) { $0 + $1.upstreamConnectFailures }
        self.line("postern_upstream_connect_failures_total", "", "\(failures)")
        self.head("postern_upstream_retries_total", "counter", "Requests sent again on a new upstream connection.")
        self.line("postern_upstream_retries_total", "", "\(gathered.loops.reduce(0) { $0 + $1.upstreamRetries })")
    }

    private mutating func health(_ gathered: Gathered) {
        guard !gathered.health.isEmpty else { return }
        self.head("postern_upstream_healthy", "gauge", "1 while a service answers its health checks.")
        for status in gathered.health {
            self.line("postern_upstream_healthy", "upstream=\"\(Self.escaped(status.url))\"", status.isUp ? "1" : "0")
        }
        self.head("postern_upstream_health_checks_total", "counter", "Health checks, by how they ended.")
        for status in gathered.health {
            let upstream = "upstream=\"\(Self.escaped(status.url))\""
            self.line("postern_upstream_health_checks_total", "\(upstream),result=\"success\"", "\(status.successes)")
            self.line("postern_upstream_health_checks_total", "\(upstream),result=\"failure\"", "\(status.failures)")
        }
    }

    private mutating func tunnels(_ gathered: Gathered) {
        self.head("postern_tunnels", "gauge", "Open tunnels: WebSockets, and what a route's upgrade names.")
        for kind in ProtocolSwitch.Kind.allCases {
            let open = gathered.loops.reduce(0) { $0 + $1.tunnels.openCount(kind) }
            self.line("postern_tunnels", "protocol=\"\(kind.rawValue)\"", "\(open)")
        }
        self.head("postern_tunnels_ended_total", "counter", "Tunnels that have ended, by what ended them.")
        for kind in ProtocolSwitch.Kind.allCases {
            for end in Tunnel.End.allCases {
                let count = gathered.loops.reduce(0) { $0 &+ $1.tunnels.endCount(kind, end) }
                let labels = "protocol=\"\(kind.rawValue)\",end=\"\(end.rawValue)\""
                self.line("postern_tunnels_ended_total", labels, "\(count)")
            }
        }
    }

    private mutating func spans(_ gathered: Gathered) {
        guard let tracing = gathered.tracing else { return }
        self.head("postern_spans_total", "counter", "Spans that have ended, by what became of them.")
        self.line("postern_spans_total", "result=\"exported\"", "\(tracing.counts.exported)")
        self.line("postern_spans_total", "result=\"dropped\"", "\(tracing.counts.dropped)")
        self.line("postern_spans_total", "result=\"failed\"", "\(tracing.counts.failed)")
        self.head("postern_spans_waiting", "gauge", "Spans that wait to be exported, or are on their way.")
        self.line("postern_spans_waiting", "", "\(tracing.held)")
    }

    private mutating func process(_ gathered: Gathered) {
        self.head("postern_reloads_total", "counter", "Configurations that were loaded while running.")
        self.line("postern_reloads_total", "result=\"applied\"", "\(gathered.reloadsApplied)")
        self.line("postern_reloads_total", "result=\"refused\"", "\(gathered.reloadsRefused)")
        self.head(
            "postern_snapshots", "gauge", "Policies in memory: the one in force, and old ones of requests in flight.")
        self.line("postern_snapshots", "", "\(gathered.snapshots)")
        self.head("postern_log_lines_dropped_total", "counter", "Log lines dropped for a slow reader.")
        self.line("postern_log_lines_dropped_total", "", "\(gathered.droppedLogLines)")
        self.head("postern_draining", "gauge", "1 while the process is shutting down.")
        self.line("postern_draining", "", gathered.draining ? "1" : "0")
        self.head("postern_build_info", "gauge", "The version that runs.")
        self.line("postern_build_info", "version=\"\(PosternVersion.current)\"", "1")
    }

    // MARK: - Format

    private mutating func head(_ name: String, _ kind: String, _ help: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    private mutating func line(_ name: String, _ labels: String, _ value: String) {
        self.text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        self.head(name, "histogram", help)
        var total: UInt64 = 0
        for (index, bound) in Histogram.bounds.enumerated() {
            total += histogram.buckets[index]
            self.line("\(name)_bucket", "le=\"\(bound)\"", "\(total)")
        }
        self.line("\(name)_bucket", "le=\"+Inf\"", "\(histogram.count)")
        self.line("\(name)_sum", "", "\(Double(histogram.sum) / 1_000_000_000)")
        self.line("\(name)_count", "", "\(histogram.count)")
    }

    private static func name(_ gathered: Gathered, _ number: Int) -> String {
        number < gathered.routeNames.count ? Self.escaped(gathered.routeNames[number]) : "none"
    }

    /// A label value (Prometheus text format): backslash, quote and line feed escaped.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
