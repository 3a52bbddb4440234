import PosternCore

/// What the status page shows, as JSON: the admin listener's `/status.json`. Counters are those of `/metrics`, over all
/// event loops and since the start; the page makes rates of them. Nothing in it is secret, and nothing speaks of a caller:
/// no token, no user, no address of a client.
///
/// Members of version 1 (what may be added later: ignore unknown ones):
/// - `version`, `service`
/// - `process`: version, uptime_seconds, now (Unix seconds), event_loops
/// - `health`: what `/readyz` says
/// - `configuration`: id (no other configuration of any process has it), generation (1 at the start, one more by each applied reload), loaded_at, reloads (applied, refused,
///   last: result, at, cause, problems)
/// - `traffic`: requests, permitted, refused, spoofed_headers, statuses by class, refusals by code, latency (bucket bounds
///   in seconds, and counts for whole requests and for the upstream; one count more than bounds)
/// - `cache`: entries, negatives, tiers (name and counts by result)
/// - `connections`, `tunnels`, `log_lines_dropped`
/// - `issuers`, `upstreams`, `redis` (null: none configured), `revocations` (null: no issuer's count)
/// - `routes`: counters of the routes that had a request; `default` stands for what no route declares, `none` for requests
///   that never came to a route
/// - `policy`: what every route needs; left out where the asker has it (`?configuration=ID`)
struct StatusDocument: Sendable {
    /// Of the document's form.
    static let version = 1

    var gathered: MetricsText.Gathered
    var readiness: Readiness
    var configuration: Configuration
    var generation: Int
    /// Unix seconds.
    var loadedAt: Double
    var lastReload: ReloadOutcome?
    /// Seconds.
    var uptime: Double
    /// Unix seconds.
    var now: Double
    var eventLoops: Int
    /// The service's URL first, then those of routes.
    var upstreams: [String]
    /// Why a service cannot be reached, by URL.
    var upstreamTroubles: [String: String]

    func json(withPolicy: Bool) -> JSONValue {
        let counts = RouteCounts.all(of: self.gathered)
        return .members([
            ("version", .whole(Self.version)),
            ("service", .string(self.configuration.service)),
            ("process", self.process),
            ("health", self.readiness.json),
            ("configuration", self.configurationState),
            ("traffic", self.traffic(counts)),
            ("cache", self.cache),
            ("connections", self.connections),
            ("tunnels", .whole(self.openTunnels)),
            ("log_lines_dropped", .whole(self.gathered.droppedLogLines)),
            ("issuers", .array(self.configuration.issuers.map(self.issuer))),
            ("upstreams", .array(self.upstreams.map(self.upstream))),
            ("redis", self.redis),
            ("revocations", self.revocations),
            ("routes", .array(counts.map(\.json))),
            ("policy", withPolicy ? self.policy : nil),
        ])
    }

    // MARK: - The process

    private var process: JSONValue {
        .members([
            ("version", .string(PosternVersion.current)), ("uptime_seconds", .seconds(self.uptime)),
            ("now", .seconds(self.now)), ("event_loops", .whole(self.eventLoops)),
        ])
    }

    private var configurationState: JSONValue {
        .members([
            ("id", .string(self.configurationID)), ("generation", .whole(self.generation)),
            ("loaded_at", .seconds(self.loadedAt)),
            (
                "reloads",
                .members([
                    ("applied", .whole(self.gathered.reloadsApplied)),
                    ("refused", .whole(self.gathered.reloadsRefused)),
                    ("last", self.lastReload.map(Self.reload) ?? .null),
                ])
            ),
        ])
    }

    /// Another process at the same address may have as many behind it.
    var configurationID: String { "\(self.generation)-\(Int64(self.loadedAt * 1e6))" }

    private static func reload(_ outcome: ReloadOutcome) -> JSONValue {
        .members([
            ("result", .string(outcome.isApplied ? "applied" : "refused")), ("at", .seconds(outcome.time)),
            ("cause", .string(outcome.cause)),
            ("problems", .list(Array(outcome.problems.prefix(ReloadOutcome.problemLimit)))),
            ("problem_count", .whole(outcome.problems.count)),
        ])
    }

    private var connections: JSONValue {
        .members([
            ("downstream", .whole(self.sum(\.downstreamConnections))),
            ("limit", .whole(self.configuration.limits.connections)),
            ("refused", .whole(self.gathered.refusedConnections)),
            ("upstream", .whole(self.sum(\.upstreamConnections))),
            ("waiting", .whole(self.sum(\.poolWaiting))),
            ("connect_failures", .whole(self.sum(\.upstreamConnectFailures))),
            ("retries", .whole(self.sum(\.upstreamRetries))),
        ])
    }

    private var openTunnels: Int {
        ProtocolSwitch.Kind.allCases.reduce(0) { total, kind in total + self.sum { $0.tunnels.openCount(kind) } }
    }

    /// A counter over all event loops.
    func sum<Count: FixedWidthInteger>(_ count: (LoopMetrics) -> Count) -> Count {
        self.gathered.loops.reduce(0) { $0 &+ count($1) }
    }
}

extension JSONValue {
    static func list(_ texts: [String]) -> JSONValue {
        .array(texts.map { .string($0) })
    }

    /// Seconds, to the millisecond; a number that is none is null.
    static func seconds(_ value: Double) -> JSONValue {
        guard value.isFinite, value.magnitude < 1e12 else { return .null }
        let rounded = (value * 1000).rounded() / 1000
        return .number(rounded, text: "\(rounded)")
    }
}
