import PosternCore

/// Renders the counters of all event loops in the Prometheus text format. Every label comes from a closed set: declared
/// routes, known methods, statuses, refusal codes, configured issuers.
struct MetricsText {
    /// What is gathered for one scrape.
    struct Gathered: Sendable {
        var loops: [LoopMetrics] = []
        var keys: [KeyService.Status] = []
        var routeNames: [String] = []
        var reloadsApplied: UInt64 = 0
        var reloadsRefused: UInt64 = 0
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
        metrics.connections(gathered)
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
        let hits = gathered.loops.reduce(0) { $0 + $1.cacheHits }
        let misses = gathered.loops.reduce(0) { $0 + $1.cacheMisses }
        self.line("postern_token_cache_total", "tier=\"l1\",result=\"hit\"", "\(hits)")
        self.line("postern_token_cache_total", "tier=\"l1\",result=\"miss\"", "\(misses)")
        self.head("postern_token_cache_entries", "gauge", "Verified tokens that are kept, over all event loops.")
        self.line("postern_token_cache_entries", "", "\(gathered.loops.reduce(0) { $0 + $1.cachedTokens })")
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

    private mutating func connections(_ gathered: Gathered) {
        self.head("postern_connections", "gauge", "Open connections.")
        let downstream = gathered.loops.reduce(0) { $0 + $1.downstreamConnections }
        let upstream = gathered.loops.reduce(0) { $0 + $1.upstreamConnections }
        self.line("postern_connections", "side=\"downstream\"", "\(downstream)")
        self.line("postern_connections", "side=\"upstream\"", "\(upstream)")
        self.head("postern_connections_refused_total", "counter", "Client connections over limits.connections.")
        self.line("postern_connections_refused_total", "", "\(gathered.refusedConnections)")
        self.head("postern_pool_waiting", "gauge", "Requests that wait for an upstream connection.")
        self.line("postern_pool_waiting", "", "\(gathered.loops.reduce(0) { $0 + $1.poolWaiting })")
        self.head("postern_upstream_connect_failures_total", "counter", "Failed attempts to open one.")
        let failures = gathered.loops.reduce(0) { $0 + $1.upstreamConnectFailures }
        self.line("postern_upstream_connect_failures_total", "", "\(failures)")
        self.head("postern_upstream_retries_total", "counter", "Requests sent again on a new upstream connection.")
        self.line("postern_upstream_retries_total", "", "\(gathered.loops.reduce(0) { $0 + $1.upstreamRetries })")
    }

    private mutating func process(_ gathered: Gathered) {
        self.head("postern_reloads_total", "counter", "Configurations that were loaded while running.")
        self.line("postern_reloads_total", "result=\"applied\"", "\(gathered.reloadsApplied)")
        self.line("postern_reloads_total", "result=\"refused\"", "\(gathered.reloadsRefused)")
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
