import NIOCore
import PosternCore
import Synchronization

// What the admin listener shows of the process.
extension ProxyRuntime: AdminSource {
    func readiness() async -> Readiness {
        let keys = await self.services.keys.status()
        // Who asks whether this address serves is told that it does, even if he asks the process that is about to go.
        let (listening, draining, requires, upstream) = self.state.withLock { state in
            let requires = state.snapshot.issuers.contains { $0.revocation == .required }
            return (
                state.listening, state.draining && !state.takenOver, requires, state.snapshot.upstreams.first
            )
        }
        let isWell = upstream.flatMap { self.services.health.verdict(for: $0) }.map { $0.value == .up } ?? true
        return Readiness(
            listening: listening, draining: draining,
            issuersWithoutKeys: keys.filter { !$0.hasKeys }.map(\.issuer),
            missesRevocations: self.services.revocations.report.map { !(requires ? $0.isKnown : $0.wasTried) } ?? false,
            unhealthyUpstream: isWell ? nil : upstream?.url)
    }

    func metrics() async -> String {
        MetricsText.render(await self.gathered())
    }

    func policy() async -> String {
        self.state.withLock { $0.snapshot.configuration }.effectivePolicy()
    }

    func status(known: String?) async -> JSONValue {
        let gathered = await self.gathered()
        let readiness = await self.readiness()
        let (snapshot, generation, loadedAt, lastReload) = self.state.withLock { state in
            (state.snapshot, state.generation, state.loadedAt, state.lastReload)
        }
        var troubles: [String: String] = [:]
        for upstream in snapshot.upstreams { troubles[upstream.url] = self.services.upstreams.trouble(upstream.url) }
        let document = StatusDocument(
            gathered: gathered, readiness: readiness, configuration: snapshot.configuration, generation: generation,
            loadedAt: loadedAt, lastReload: lastReload,
            uptime: Double(SystemClock.monotonic - self.startedAt) / 1e9, now: SystemClock.unixTime,
            eventLoops: self.loops.count, upstreams: snapshot.upstreams.map(\.url), upstreamTroubles: troubles)
        return document.json(withPolicy: document.configurationID != known)
    }

    func explain(_ request: ExplainRequest) async -> String {
        await ExplainCommand.json(of: request, by: self.state.withLock { $0.snapshot })
    }

    /// The counters of every event loop, and what is counted beside them.
    private func gathered() async -> MetricsText.Gathered {
        var gathered = MetricsText.Gathered()
        for loop in self.loops {
            let metrics = try? await loop.eventLoop.submit { loop.value.currentMetrics() }.get()
            if let metrics { gathered.loops.append(metrics) }
        }
        gathered.keys = await self.services.keys.status()
        gathered.introspection = self.services.introspection.status
        gathered.health = self.services.health.status
        gathered.tracing = self.services.tracing.status
        gathered.redisUp = self.services.redis.isUp
        gathered.revocation = self.services.revocations.report
        gathered.routeNames = self.services.labels.names
        gathered.droppedLogLines = self.services.sink.dropped
        gathered.refusedConnections = self.services.refusedConnections
        self.state.withLock { state in
            gathered.reloadsApplied = state.reloadsApplied
            gathered.reloadsRefused = state.reloadsRefused
            gathered.snapshots = Snapshot.count
            gathered.draining = state.draining
        }
        return gathered
    }
}

/// How a reload ended.
struct ReloadOutcome: Equatable, Sendable {
    /// Lines of problems that are kept.
    static let problemLimit = 20

    /// Unix seconds.
    var time = SystemClock.unixTime
    /// What asked for it: `SIGHUP`, `file change`, …
    var cause: String
    /// Why the new configuration was refused, as the log has it; empty: it is in force.
    var problems: [String] = []

    var isApplied: Bool { self.problems.isEmpty }
}
