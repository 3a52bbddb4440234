/// Decides what becomes of spans that wait to be exported: they are gathered into batches, one batch is on its way at a time, and
/// one that did not arrive is sent again (OTLP/HTTP, Failures and Throttling). What waits is bounded; what is over the bound is
/// dropped and counted.
public struct SpanExport: Sendable {
    public struct Limits: Equatable, Sendable {
        /// Spans, and bytes of them, that are held at most: those on their way and those that wait.
        public var spans = 4096
        public var bytes = 4 << 20
        /// Spans in a batch at most; as many waiting ones are sent at once.
        public var batch = 512
        /// Nanoseconds that a span waits for others at most.
        public var delay: Int64 = 1_000_000_000
        /// How often a batch is sent at most.
        public var attempts = 5
        /// Nanoseconds before a batch is sent again: first, and at most.
        public var pause: Int64 = 1_000_000_000
        public var longestPause: Int64 = 30_000_000_000

        public init() {}
    }

    /// What is to be done.
    public enum Action: Equatable, Sendable {
        case none
        /// Call `wake` at this time, in monotonic nanoseconds; an earlier word of this kind is void.
        case wake(at: Int64)
        /// Send these spans, then call `answered`.
        case send([[UInt8]])
        /// After `drain`: nothing is left.
        case finished
    }

    /// What became of a batch.
    public enum Outcome: Equatable, Sendable {
        /// The receiver took it, but for so many of its spans.
        case accepted(rejected: Int)
        /// The receiver does not want it; it would not want it later.
        case refused
        /// It may be wanted later: no answer, or one that says so; after so many nanoseconds, if the receiver says when.
        case unavailable(retryAfter: Int64?)
    }

    /// What became of spans.
    public struct Counts: Equatable, Sendable {
        public var exported: UInt64 = 0
        /// There was no room, or no time at the end of the process.
        public var dropped: UInt64 = 0
        /// The receiver did not take them.
        public var failed: UInt64 = 0

        public init() {}
    }

    private enum State {
        /// There are no spans. Exits: gathering.
        case idle
        /// Spans wait for others until then. Exits: sending.
        case gathering(until: Int64)
        /// A batch is on its way, for this many times. Exits: idle, gathering, sending, pausing.
        case sending(attempt: Int)
        /// A batch is to be sent again then. Exits: sending.
        case pausing(until: Int64, attempt: Int)
    }

    private let limits: Limits
    private var state = State.idle
    private var waiting: [[UInt8]] = []
    /// The batch that is on its way, or is to be sent again.
    private var batch: [[UInt8]] = []
    private var bytes = 0
    private var isDraining = false
    public private(set) var counts = Counts()

    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Spans that are held.
    public var held: Int { self.waiting.count + self.batch.count }

    /// A span has ended. `now` is monotonic, in nanoseconds, here and below.
    public mutating func add(_ span: [UInt8], now: Int64) -> Action {
        guard self.held < self.limits.spans, self.bytes + span.count <= self.limits.bytes else {
            self.counts.dropped &+= 1
            return .none
        }
        self.waiting.append(span)
        self.bytes += span.count
        switch self.state {
        case .idle where self.isDraining: return self.send()
        case .idle:
            self.state = .gathering(until: now &+ self.limits.delay)
            return .wake(at: now &+ self.limits.delay)
        case .gathering where self.waiting.count >= self.limits.batch: return self.send()
        case .gathering, .sending, .pausing: return .none
        }
    }

    /// The time that was asked for has come.
    public mutating func wake(now: Int64) -> Action {
        switch self.state {
        case .gathering(let time) where time <= now: return self.send()
        case .pausing(let time, let attempt) where time <= now: return self.send(attempt: attempt + 1)
        case .idle, .gathering, .sending, .pausing: return .none
        }
    }

    /// What became of the batch that was sent.
    ///
    /// - Parameter random: 0 to 1: not everybody comes back at the same time.
    public mutating func answered(_ outcome: Outcome, now: Int64, random: Double) -> Action {
        guard case .sending(let attempt) = self.state else { return .none }
        let count = UInt64(self.batch.count)
        switch outcome {
        case .accepted(let rejected):
            let failed = min(UInt64(max(0, rejected)), count)
            self.counts.failed &+= failed
            self.counts.exported &+= count - failed
        case .refused:
            self.counts.failed &+= count
        case .unavailable(let retryAfter):
            if !self.isDraining, attempt < self.limits.attempts {
                let time = now &+ self.pause(attempt, retryAfter, random)
                self.state = .pausing(until: time, attempt: attempt)
                return .wake(at: time)
            }
            self.counts.failed &+= count
            // At the end of the process nobody waits for what does not answer.
            if self.isDraining { return self.giveUp() }
        }
        self.bytes -= self.batch.reduce(0) { $0 + $1.count }
        self.batch = []
        self.state = .idle
        guard !self.waiting.isEmpty else { return self.isDraining ? .finished : .none }
        if self.isDraining || self.waiting.count >= self.limits.batch { return self.send() }
        self.state = .gathering(until: now &+ self.limits.delay)
        return .wake(at: now &+ self.limits.delay)
    }

    /// The process is to end: everything is sent now.
    public mutating func drain() -> Action {
        self.isDraining = true
        switch self.state {
        case .idle: return .finished
        case .gathering: return self.send()
        case .sending: return .none
        case .pausing(_, let attempt): return self.send(attempt: attempt + 1)
        }
    }

    /// There is no more time: what is held is dropped.
    public mutating func abandon() {
        self.counts.dropped &+= UInt64(self.held)
        self.batch = []
        self.waiting = []
        self.bytes = 0
        self.state = .idle
    }

    private mutating func giveUp() -> Action {
        self.batch = []
        self.abandon()
        return .finished
    }

    private mutating func send(attempt: Int = 1) -> Action {
        if attempt == 1 {
            self.batch = Array(self.waiting.prefix(self.limits.batch))
            self.waiting.removeFirst(self.batch.count)
        }
        self.state = .sending(attempt: attempt)
        return .send(self.batch)
    }

    /// The receiver's own word, if it is not too long; else twice as long each time, less a random part of it.
    private func pause(_ attempt: Int, _ retryAfter: Int64?, _ random: Double) -> Int64 {
        if let retryAfter { return min(max(0, retryAfter), 2 * self.limits.longestPause) }
        let longest = min(self.limits.pause << Int64(min(attempt - 1, 20)), self.limits.longestPause)
        return longest / 2 + Int64(Double(longest / 2) * random)
    }
}
