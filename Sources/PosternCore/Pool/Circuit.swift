/// Keeps calls away from a server that does not answer, and finds out when it does again: a machine without I/O.
///
/// Closed at first. After a number of failures in a row it opens: no calls but probes, further and further apart, until one
/// of them, or a call that was still under way, succeeds. Times are nanoseconds of one monotonic clock.
public struct Circuit: Sendable {
    public struct Settings: Equatable, Sendable {
        /// Failures in a row that open the circuit; at least one.
        public var failures: Int
        /// The shortest pause before a probe, in nanoseconds.
        public var base: Int64
        /// The longest pause before a probe, in nanoseconds.
        public var maximum: Int64

        public init(failures: Int = 5, base: Int64 = .second / 2, maximum: Int64 = 30 * .second) {
            self.failures = max(failures, 1)
            self.base = max(base, 1)
            self.maximum = max(maximum, self.base)
        }
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case none
        /// Say that the circuit is open, and call the server once at this time: `probeSucceeded` or `probeFailed`.
        case open(probeAt: Int64)
        /// Probe again at this time.
        case probe(at: Int64)
        /// Say that the circuit is closed. A probe that is planned or under way is not needed any more.
        case close
    }

    private enum State: Equatable {
        /// Calls are made; so many failed in a row. Exits: `open` (too many failed).
        case closed(failures: Int)
        /// No calls; so many probes failed. Exits: `closed` (a probe or a late call succeeded).
        case open(probes: Int)
    }

    public let settings: Settings
    private var state: State = .closed(failures: 0)

    public init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// Whether calls are to be made.
    public var allows: Bool {
        if case .closed = self.state { true } else { false }
    }

    /// A call succeeded. One that began before the circuit opened closes it: the server answers.
    public mutating func succeeded() -> Action {
        switch self.state {
        case .closed:
            self.state = .closed(failures: 0)
            return .none
        case .open:
            self.state = .closed(failures: 0)
            return .close
        }
    }

    /// A call failed.
    /// - Parameter random: From 0 up to 1, for the jitter of the first probe.
    public mutating func failed(now: Int64, random: Double) -> Action {
        switch self.state {
        case .closed(let failures):
            guard failures + 1 >= self.settings.failures else {
                self.state = .closed(failures: failures + 1)
                return .none
            }
            self.state = .open(probes: 0)
            return .open(probeAt: now.later(by: self.pause(probes: 0, random: random)))
        case .open:
            // A call from before: it says nothing new.
            return .none
        }
    }

    /// A probe was answered.
    public mutating func probeSucceeded() -> Action {
        self.succeeded()
    }

    /// A probe was not answered.
    /// - Parameter random: From 0 up to 1, for the jitter of the next probe.
    public mutating func probeFailed(now: Int64, random: Double) -> Action {
        // A probe that was overtaken by a successful call is no failure of what came after it.
        guard case .open(let probes) = self.state else { return .none }
        // Beyond 62 the pause does not grow any more.
        self.state = .open(probes: min(probes + 1, 62))
        return .probe(at: now.later(by: self.pause(probes: probes + 1, random: random)))
    }

    /// Between `base` and min(`base` × 2ⁿ⁺¹, `maximum`) after n probes that failed, evenly spread.
    private func pause(probes: Int, random: Double) -> Int64 {
        let (doubled, overflow) = self.settings.base.multipliedReportingOverflow(by: 1 << Int64(min(probes + 1, 62)))
        let ceiling = overflow ? self.settings.maximum : min(doubled, self.settings.maximum)
        let share = random >= 0 && random < 1 ? random : 0
        return self.settings.base + Int64(Double(ceiling - self.settings.base) * share)
    }
}
