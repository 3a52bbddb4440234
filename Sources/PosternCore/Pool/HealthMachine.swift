/// Decides when a service is asked whether it is well, and what its answers mean: a machine without I/O.
///
/// The first check begins at once, each later one an interval after the one before began, and never two at a time. So
/// many failures in a row make a service one that is down; one success is enough to make it one that is up. Times are
/// nanoseconds of one monotonic clock.
public struct HealthMachine: Sendable {
    public struct Settings: Equatable, Sendable {
        /// Nanoseconds from the beginning of one check to that of the next.
        public var interval: Int64
        /// Nanoseconds that one check may take.
        public var timeout: Int64
        /// Failures in a row after which the service is down; at least one.
        public var failures: Int

        public init(interval: Int64, timeout: Int64, failures: Int) {
            self.interval = max(interval, 1)
            self.timeout = max(timeout, 1)
            self.failures = max(failures, 1)
        }
    }

    /// What is known of a service.
    public enum Verdict: UInt8, Equatable, Sendable {
        /// It did not answer yet, nor fail often enough: it gets requests.
        case unknown
        /// It gets requests.
        case up
        /// It gets none: they are refused at once.
        case down
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        /// Ask the service, and say with `ended` how that went: at `deadline` it has failed.
        case check(deadline: Int64)
        /// Call `wake` at this time.
        case wait(until: Int64)
        /// The verdict is another one from now on. Say so, and call `wake` at this time.
        case turned(Verdict, until: Int64)
    }

    public let settings: Settings
    public private(set) var verdict: Verdict
    /// Checks in a row that failed.
    public private(set) var failures = 0
    /// When the last check began.
    private var began: Int64 = 0

    /// - Parameter verdict: what is known of the service from before.
    public init(settings: Settings, verdict: Verdict = .unknown) {
        self.settings = settings
        self.verdict = verdict
    }

    /// The first check is due, or the next one: the time has come that `wait` or `turned` named.
    public mutating func wake(now: Int64) -> Action {
        self.began = now
        return .check(deadline: now.later(by: self.settings.timeout))
    }

    /// A check ended: the service said that it is well, or it did not in time.
    public mutating func ended(succeeded: Bool, now: Int64) -> Action {
        let next = max(now, self.began.later(by: self.settings.interval))
        if succeeded {
            self.failures = 0
            return self.turn(to: .up, until: next)
        }
        self.failures = min(self.failures + 1, self.settings.failures)
        // A service that was down before its settings changed stays so.
        guard self.failures >= self.settings.failures else { return .wait(until: next) }
        return self.turn(to: .down, until: next)
    }

    private mutating func turn(to verdict: Verdict, until next: Int64) -> Action {
        guard verdict != self.verdict else { return .wait(until: next) }
        self.verdict = verdict
        return .turned(verdict, until: next)
    }
}
