import Logging
import NIOCore
import PosternCore
import Synchronization

/// Asks services whether they are well: each of them once for the whole process, in the background, and tells every event
/// loop by a `HealthVerdict`. Not on the path of a request.
final class HealthService: Sendable {
    /// What is known of the checks of one service, for metrics.
    struct Status: Equatable, Sendable {
        var url: String
        var isUp: Bool
        var successes: UInt64
        var failures: UInt64
    }

    /// One thing that is checked. What requests need besides (how many connections, and so on) makes no other of it.
    private struct Subject: Equatable {
        var address: Address
        var url: String
        var tls: UpstreamTLS?
        var applicationProtocol: Configuration.ApplicationProtocol
        var health: Configuration.Health
        var connectTimeout: Int64

        /// Nil where the upstream has no health checks.
        init?(_ upstream: UpstreamTarget) {
            guard let health = upstream.health else { return nil }
            self.address = upstream.address
            self.url = upstream.url
            self.tls = upstream.tls
            self.applicationProtocol = upstream.applicationProtocol
            self.health = health
            self.connectTimeout = upstream.connectTimeout
        }

        /// Whether the same is asked of the same service, only at other times or in another way.
        func isLike(_ other: Subject) -> Bool {
            self.url == other.url && self.health.path == other.health.path
        }
    }

    private struct Entry {
        var subject: Subject
        var verdict: HealthVerdict
        /// Nil until the snapshot is in force.
        var task: Task<Void, Never>?
    }

    private struct State {
        var entries: [Entry] = []
        var hasBegun = false
    }

    private let state = Mutex(State())
    private let names: NameDirectory
    private let logger: Logger

    init(names: NameDirectory, logger: Logger) {
        self.names = names
        self.logger = logger
    }

    // MARK: - Life

    /// Makes the upstreams of a snapshot the ones that are checked: new ones are asked at once, others go on as they are.
    func adopt(_ snapshot: Snapshot, on eventLoop: any EventLoop) {
        self.state.withLock { state in
            let before = state.entries
            var entries: [Entry] = []
            for upstream in snapshot.upstreams {
                guard let subject = Subject(upstream), !entries.contains(where: { $0.subject == subject }) else {
                    continue
                }
                var entry = Self.entry(of: subject, among: before, hasBegun: state.hasBegun)
                if entry.task == nil { entry.task = self.begin(upstream, entry.verdict, eventLoop) }
                entries.append(entry)
            }
            for entry in before where !entries.contains(where: { $0.verdict === entry.verdict }) {
                entry.task?.cancel()
            }
            state.entries = entries
            state.hasBegun = true
        }
    }

    /// Ends all checks.
    func stop() {
        self.state.withLock { state in
            for entry in state.entries { entry.task?.cancel() }
            state.entries = []
        }
    }

    /// The verdict on an upstream; nil where it has no health checks.
    func verdict(for upstream: UpstreamTarget) -> HealthVerdict? {
        guard let subject = Subject(upstream) else { return nil }
        return self.state.withLock { state in
            if let entry = state.entries.first(where: { $0.subject == subject }) { return entry.verdict }
            let entry = Self.entry(of: subject, among: state.entries, hasBegun: state.hasBegun)
            state.entries.append(entry)
            return entry.verdict
        }
    }

    /// By URL; a URL that is asked for two paths is well if both are.
    var status: [Status] {
        var result: [Status] = []
        for entry in self.state.withLock({ $0.entries }) where entry.task != nil {
            let verdict = entry.verdict
            let one = Status(
                url: entry.subject.url, isUp: verdict.value == .up, successes: verdict.successes,
                failures: verdict.failures)
            if let index = result.firstIndex(where: { $0.url == one.url }) {
                result[index].isUp = result[index].isUp && one.isUp
                result[index].successes &+= one.successes
                result[index].failures &+= one.failures
            } else {
                result.append(one)
            }
        }
        return result
    }

    /// The entry that there is. A new one begins with what is known of the service: with what its checks said before a
    /// reload changed them, or, where it was in use without, that it is up.
    private static func entry(of subject: Subject, among entries: [Entry], hasBegun: Bool) -> Entry {
        if let entry = entries.first(where: { $0.subject == subject }) { return entry }
        let known = entries.first { $0.subject.isLike(subject) }?.verdict.value
        return Entry(subject: subject, verdict: HealthVerdict(known ?? (hasBegun ? .up : .unknown)), task: nil)
    }

    // MARK: - Checks

    private func begin(
        _ upstream: UpstreamTarget, _ verdict: HealthVerdict, _ eventLoop: any EventLoop
    ) -> Task<Void, Never>? {
        guard let health = upstream.health else { return nil }
        // A check may take until the next one is due, and five seconds at most.
        let settings = HealthMachine.Settings(
            interval: health.interval, timeout: min(health.interval, 5_000_000_000), failures: health.failures)
        let probe = HealthProbe(upstream, path: health.path, names: self.names, eventLoop: eventLoop)
        let machine = HealthMachine(settings: settings, verdict: verdict.value)
        return Task { await self.check(probe, machine, verdict, upstream.url) }
    }

    private func check(_ probe: HealthProbe, _ machine: HealthMachine, _ verdict: HealthVerdict, _ url: String) async {
        var machine = machine
        var action = machine.wake(now: SystemClock.monotonic)
        var trouble = ""
        while !Task.isCancelled {
            switch action {
            case .check(let deadline):
                let outcome = await probe.ask(until: deadline)
                // Whoever ended the checks does not want to hear of this one.
                guard !Task.isCancelled else { return }
                if case .failed(let reason) = outcome { trouble = reason }
                verdict.count(succeeded: outcome == .well)
                action = machine.ended(succeeded: outcome == .well, now: SystemClock.monotonic)
            case .wait(let time):
                try? await Task.sleep(for: .nanoseconds(max(0, time - SystemClock.monotonic)))
                action = machine.wake(now: SystemClock.monotonic)
            case .turned(let value, let time):
                let before = verdict.value
                verdict.set(value)
                self.say(value, before: before, url, probe.path, trouble)
                action = .wait(until: time)
            }
        }
    }

    /// One line for every change; that a service is well from the beginning is none.
    private func say(
        _ value: HealthMachine.Verdict, before: HealthMachine.Verdict, _ url: String, _ path: String, _ trouble: String
    ) {
        if value == .down {
            self.logger.error(
                "upstream is unhealthy: requests are refused",
                metadata: ["upstream": "\(url)", "path": "\(path)", "reason": "\(trouble)"])
        } else if before == .down {
            self.logger.info("upstream is healthy again", metadata: ["upstream": "\(url)", "path": "\(path)"])
        }
    }
}
