/// Everything that is shown at one scrape.
struct MetricsReport: Sendable {
    /// A signing key and what it is now.
    struct KeyAge: Sendable {
        var kid: String
        var algorithm: String
        /// `next`, `current` or `retired`.
        var state: String
        /// Seconds since it was made.
        var age: Double
    }

    /// How far Redis is behind the store.
    struct Publishing: Sendable {
        var isUp: Bool
        /// Revocations that are not published yet.
        var waiting: Int
        /// For how many seconds the first of them has waited.
        var lag: Double
    }

    var counts: IssuerMetrics.Counts
    var keys: [KeyAge]
    /// Nil where nothing is published, or the store does not answer.
    var publishing: Publishing?
    var auditDropped: UInt64
    var auditWaiting: Int
    var process: ProcessFigures

    /// The exposition.
    var text: String {
        var metrics = MetricsText()
        self.tokens(&metrics)
        self.revocations(&metrics)
        self.operation(&metrics)
        self.requests(&metrics)
        return metrics.text
    }

    private func tokens(_ metrics: inout MetricsText) {
        let tokens = "postern_issuer_tokens_total"
        metrics.family(tokens, .counter, "Requests for tokens by grant, and the reason of refusals.")
        for (key, count) in self.counts.tokens.sorted(by: { $0.key < $1.key }) {
            let result = key.isIssued ? "issued" : "refused"
            metrics.sample(tokens, [("grant", key.grant), ("result", result), ("reason", key.reason)], count)
        }
        let logins = "postern_issuer_logins_total"
        metrics.family(logins, .counter, "Logins of users by result.")
        for isAllowed in [true, false] {
            let result = isAllowed ? "allowed" : "refused"
            metrics.sample(logins, [("result", result)], self.counts.logins[isAllowed] ?? 0)
        }
        let introspections = "postern_issuer_introspections_total"
        metrics.family(introspections, .counter, "Questions about tokens by endpoint and result.")
        for kind in [IssuerMetrics.Introspection.hecate, .oauth] {
            for result in [IssuerMetrics.IntrospectionResult.active, .inactive, .refused] {
                let count = self.counts.introspections[kind]?[result] ?? 0
                metrics.sample(introspections, [("kind", kind.rawValue), ("result", result.rawValue)], count)
            }
        }
    }

    private func revocations(_ metrics: inout MetricsText) {
        let revocations = "postern_issuer_revocations_total"
        metrics.family(revocations, .counter, "What ended tokens, sessions or service keys, by the audit log's action.")
        for (action, count) in self.counts.revocations.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            metrics.sample(revocations, [("action", action.rawValue)], count)
        }
        guard let publishing = self.publishing else { return }
        metrics.family("postern_issuer_redis_up", .gauge, "1 while Redis is connected.")
        metrics.sample("postern_issuer_redis_up", [], publishing.isUp ? 1 : 0)
        metrics.family(
            "postern_issuer_revocations_unpublished", .gauge, "Revocations that wait for Redis, at most 1000.")
        metrics.sample("postern_issuer_revocations_unpublished", [], publishing.waiting)
        metrics.family("postern_issuer_publish_lag_seconds", .gauge, "How long the first of them has waited.")
        metrics.sample("postern_issuer_publish_lag_seconds", [], publishing.lag)
    }

    private func operation(_ metrics: inout MetricsText) {
        let age = "postern_issuer_signing_key_age_seconds"
        metrics.family(age, .gauge, "Seconds since a signing key was made.")
        for key in self.keys {
            metrics.sample(age, [("kid", key.kid), ("algorithm", key.algorithm), ("state", key.state)], key.age)
        }
        let single: [(name: String, kind: MetricsText.Kind, help: String, value: UInt64)] = [
            (
                "audit_dropped_total", .counter, "Audit entries that are in the lines alone, not in the table.",
                self.auditDropped
            ),
            ("audit_waiting", .gauge, "Audit entries on their way to the table.", UInt64(self.auditWaiting)),
            (
                "rate_limiter_fallbacks_total", .counter,
                "Requests whose rate this process limited alone, because Redis did not answer.",
                self.counts.limiterFallbacks
            ),
            ("resident_memory_bytes", .gauge, "Memory of the process.", self.process.residentBytes),
        ]
        for metric in single {
            metrics.family("postern_issuer_" + metric.name, metric.kind, metric.help)
            metrics.sample("postern_issuer_" + metric.name, [], metric.value)
        }
        metrics.family("postern_issuer_cpu_seconds_total", .counter, "Processor time of the process.")
        metrics.sample("postern_issuer_cpu_seconds_total", [], self.process.cpuSeconds)
    }

    private func requests(_ metrics: inout MetricsText) {
        let duration = "postern_issuer_request_duration_seconds"
        metrics.family(duration, .histogram, "Time from a request's head to its answer, by route and status class.")
        for (key, histogram) in self.counts.requests.sorted(by: { $0.key < $1.key }) {
            let status = key.statusClass == 0 ? "none" : "\(key.statusClass)xx"
            metrics.histogram(duration, [("route", key.route), ("status", status)], histogram)
        }
    }
}
