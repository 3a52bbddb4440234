/// Keeps an issuer's keys fresh (3-behaviour, "Keys"): decides when to fetch, when to give keys up, and who waits.
///
/// A pure machine: the shell fetches, holds the keys and the waiting requests, and has the clock. Every event returns
/// the actions to run, in order. Times are nanoseconds of one monotonic clock. Never more than one fetch is in flight.
///
/// Decisions where 3-behaviour leaves room:
/// - A fetched set without a usable key counts as a failed fetch: an issuer that is starting up says so as well, and
///   old keys are kept for `maximumStale` as after any failure.
/// - Keys are given up when they are `maximumStale` old and a fetch has failed since they came.
/// - Only fetches that an unknown `kid` started count for the ten seconds between two such; a request that comes while
///   any fetch is in flight joins that one.
/// - Failure n waits between 1 s and min(2ⁿ, 30) s, evenly spread.
public struct KeySetMachine: Sendable {
    /// What proxy.yaml says; nanoseconds.
    public struct Settings: Equatable, Sendable {
        /// How often to fetch where the answer has no `max-age`.
        public var refresh: Int64
        /// How long one fetch may take, and a request may wait for it.
        public var timeout: Int64
        /// How old keys may grow while fetches fail.
        public var maximumStale: Int64

        public init(
            refresh: Int64 = 300 * .second, timeout: Int64 = 2 * .second, maximumStale: Int64 = 86_400 * .second
        ) {
            self.refresh = refresh
            self.timeout = timeout
            self.maximumStale = maximumStale
        }
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        /// Fetch the keys, and report with `fetchEnded` under this number; by `deadline` at the latest.
        case fetch(id: Int, deadline: Int64)
        /// Abandon the fetch; what it still reports is ignored.
        case cancelFetch(id: Int)
        /// The keys that the fetch brought are the keys from now on.
        case publish
        /// There are no keys any more: they are too old.
        case withdraw
        /// Let the waiting requests look again at the keys there are; each of them waits only once.
        case resumeWaiters
        /// Call `wake` at this time. Replaces the time that was said before.
        case wake(at: Int64)
    }

    /// How a fetch ended.
    public enum FetchOutcome: Equatable, Sendable {
        /// Keys came: so many usable ones, and `max-age` of `Cache-Control` in nanoseconds if the answer had it.
        case keys(count: Int, maximumAge: Int64?)
        /// No answer, not 200, too long, or not a key set.
        case failed
    }

    /// What a request does that has no key for its token.
    public enum Answer: Equatable, Sendable {
        /// Wait for the fetch in flight, until this time at most; then validate again, once.
        case wait(until: Int64)
        /// No fetch will help now: 401 for an unknown `kid`, 502 where there are no keys at all.
        case refuse
    }

    private enum State: Equatable {
        /// Nothing has been asked yet. Exits: `fetching` (start), `stopped`.
        case idle
        /// A fetch is in flight. Exits: `sleeping` (it ended or took too long), `stopped`.
        case fetching(id: Int, deadline: Int64)
        /// The next fetch is due at that time. Exits: `fetching` (due, or a `kid` is unknown), `stopped`.
        case sleeping(until: Int64)
        /// The end. No exits; every event is ignored.
        case stopped
    }

    public static let unknownKeyInterval: Int64 = 10 * .second
    public static let minimumRefresh: Int64 = 60 * .second
    public static let maximumRefresh: Int64 = 3600 * .second

    public let settings: Settings
    private var state: State = .idle
    private var lastID = 0
    /// When the keys that are published came; nil: there are none.
    private var keysSince: Int64?
    /// Fetches that failed since the last that did not.
    public private(set) var failures = 0
    private var lastUnknownKeyFetch: Int64?

    public init(settings: Settings) {
        self.settings = settings
    }

    // MARK: Queries

    /// Whether there are keys that count.
    public var hasKeys: Bool { self.keysSince != nil }

    /// How long ago the keys came; nil if there are none.
    public func keyAge(now: Int64) -> Int64? {
        self.keysSince.map { max(now - $0, 0) }
    }

    // MARK: Events

    /// The proxy starts, or this issuer is new.
    public mutating func start(now: Int64) -> [Action] {
        guard self.state == .idle else { return [] }
        return self.fetch(now: now)
    }

    /// The time of the last `wake` action has come (or any other: too early does no harm).
    /// - Parameter random: From 0 up to 1, for the jitter of a retry.
    public mutating func wake(now: Int64, random: Double) -> [Action] {
        switch self.state {
        case .idle, .stopped:
            return []
        case .fetching(let id, let deadline):
            if now >= deadline { return [.cancelFetch(id: id)] + self.failed(now: now, random: random) }
            return self.giveUpStaleKeys(now: now) + [self.nextWake()]
        case .sleeping(let until):
            if now >= until { return self.fetch(now: now) }
            return self.giveUpStaleKeys(now: now) + [self.nextWake()]
        }
    }

    /// A fetch ended. Ignored unless it is the one in flight.
    public mutating func fetchEnded(id: Int, _ outcome: FetchOutcome, now: Int64, random: Double) -> [Action] {
        guard case .fetching(id, _) = self.state else { return [] }
        guard case .keys(let count, let maximumAge) = outcome, count > 0 else {
            return self.failed(now: now, random: random)
        }
        var interval = self.settings.refresh
        if let maximumAge { interval = min(max(maximumAge, Self.minimumRefresh), Self.maximumRefresh) }
        self.failures = 0
        self.keysSince = now
        self.state = .sleeping(until: now.later(by: interval))
        return [.publish, .resumeWaiters, self.nextWake()]
    }

    /// A token names a `kid` that no key has. The shell asks this only with keys at hand, and once for a token.
    public mutating func unknownKey(now: Int64) -> (answer: Answer, actions: [Action]) {
        switch self.state {
        case .idle, .stopped:
            return (.refuse, [])
        case .fetching(_, let deadline):
            return (.wait(until: deadline), [])
        case .sleeping:
            if let last = self.lastUnknownKeyFetch, now - last < Self.unknownKeyInterval { return (.refuse, []) }
            self.lastUnknownKeyFetch = now
            return (.wait(until: now.later(by: self.settings.timeout)), self.fetch(now: now))
        }
    }

    /// A request needs keys and there are none. It waits for a fetch in flight, and starts none: the schedule does.
    public func keysMissing(now: Int64) -> Answer {
        if case .fetching(_, let deadline) = self.state { return .wait(until: deadline) }
        return .refuse
    }

    /// The issuer is gone from the configuration, or the proxy ends.
    public mutating func stop() -> [Action] {
        defer { self.state = .stopped }
        if case .fetching(let id, _) = self.state { return [.cancelFetch(id: id), .resumeWaiters] }
        return []
    }

    // MARK: Transitions

    private mutating func fetch(now: Int64) -> [Action] {
        self.lastID += 1
        let deadline = now.later(by: self.settings.timeout)
        self.state = .fetching(id: self.lastID, deadline: deadline)
        return self.giveUpStaleKeys(now: now) + [.fetch(id: self.lastID, deadline: deadline), self.nextWake()]
    }

    private mutating func failed(now: Int64, random: Double) -> [Action] {
        self.failures += 1
        self.state = .sleeping(until: now.later(by: Self.retryDelay(failures: self.failures, random: random)))
        return self.giveUpStaleKeys(now: now) + [.resumeWaiters, self.nextWake()]
    }

    private mutating func giveUpStaleKeys(now: Int64) -> [Action] {
        guard let staleAt = self.staleAt, now >= staleAt else { return [] }
        self.keysSince = nil
        return [.withdraw]
    }

    /// When the keys count as absent, if nothing better comes.
    private var staleAt: Int64? {
        guard self.failures > 0, let keysSince = self.keysSince else { return nil }
        return keysSince.later(by: self.settings.maximumStale)
    }

    private func nextWake() -> Action {
        let due: Int64
        switch self.state {
        case .fetching(_, let deadline): due = deadline
        case .sleeping(let until): due = until
        case .idle, .stopped: due = Int64.max
        }
        return .wake(at: min(due, self.staleAt ?? Int64.max))
    }

    /// Between 1 s and min(2ⁿ, 30) s after failure n.
    static func retryDelay(failures: Int, random: Double) -> Int64 {
        let ceiling: Int64 = failures < 5 ? (1 << Int64(max(failures, 0))) * .second : 30 * .second
        let share = random >= 0 && random < 1 ? random : 0
        return .second + Int64(Double(ceiling - .second) * share)
    }
}

extension Int64 {
    /// Nanoseconds in a second.
    @usableFromInline static var second: Int64 { 1_000_000_000 }

    /// A later time; one beyond 64 bits is the end of all times.
    func later(by duration: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(duration)
        return overflow ? Int64.max : sum
    }
}
