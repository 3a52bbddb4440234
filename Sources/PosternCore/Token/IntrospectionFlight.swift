/// Finds out about one token, for all requests of this process that wait for it: a machine without I/O.
///
/// The way: look into Redis; if it knows nothing, take the token's lock there, look once more (the last holder may have
/// stored its answer in between), ask the issuers, store the answer, release the lock. Where another process has the lock,
/// look again after short pauses. Redis is never needed: from the moment it does not answer, the flight goes on without it.
/// Times are nanoseconds of one monotonic clock. The flight ends at its deadline at the latest.
///
/// Decisions where 3-behaviour leaves room:
/// - Answers are offered to Redis even if it failed before: it may be back, and others wait for them.
/// - A lock whose request was not answered may be held, so it is released like one that is; releasing what another
///   process holds does nothing.
public struct IntrospectionFlight: Sendable {
    public struct Settings: Equatable, Sendable {
        /// Indices of the issuers to ask, in order.
        public var issuers: [Int]
        public var usesRedis: Bool
        /// Nanoseconds for everything together: the largest `timeout` of the issuers.
        public var timeout: Int64
        /// How long to wait for another process at most, before asking without the lock; no more than `timeout`.
        public var patience: Int64
        /// Pauses between two looks while another process has the lock; the last one repeats.
        public var pauses: [Int64]

        public init(
            issuers: [Int], usesRedis: Bool, timeout: Int64, patience: Int64? = nil,
            pauses: [Int64] = Self.defaultPauses
        ) {
            self.issuers = issuers.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
            self.usesRedis = usesRedis
            self.timeout = timeout
            self.patience = min(patience ?? timeout, timeout)
            self.pauses = pauses
        }

        /// 5, 10, 20, 40, 50, 50 … ms.
        public static let defaultPauses: [Int64] = [5, 10, 20, 40, 50].map { $0 * .millisecond }
    }

    /// Who gave the answer.
    public enum Source: String, Equatable, Sendable {
        case redis
        case issuer
    }

    /// How the flight ends.
    public enum Outcome: Equatable, Sendable {
        /// This issuer calls the token active.
        case active(issuer: Int, source: Source)
        /// No issuer does, and all were asked.
        case inactive(Source)
        /// Nobody knows: an issuer could not be asked, or the time is over.
        case unavailable
    }

    /// What the shell has to do, in this order.
    public enum Action: Equatable, Sendable {
        /// Call `deadline` at this time. Said once.
        case deadlineAt(Int64)
        /// Read the token's entry: `entry`.
        case get
        /// Set the token's lock if nobody has it, to vanish after so many milliseconds: `lockAnswered`.
        case lock(milliseconds: Int)
        /// Ask the issuer: `answered`.
        case ask(issuer: Int)
        /// Call `wake` at this time.
        case wakeAt(Int64)
        /// Store what this issuer just said as the token's entry.
        case storeActive(issuer: Int)
        /// Store that no issuer calls the token active.
        case storeNegative
        /// Delete the lock if it is this flight's, after what is to be stored.
        case unlock
        /// The last action but for an `unlock` that comes of a late answer. A call to an issuer that is still under way
        /// may be abandoned.
        case finish(Outcome)
    }

    /// What Redis has for the token.
    public enum Entry: Equatable, Sendable {
        /// An entry that opened, is not too old and says that this issuer calls the token active.
        case active(issuer: Int)
        /// An entry that opened, is not too old and says that no issuer calls the token active.
        case negative
        /// None, or one that does not count.
        case none
        /// Redis did not answer.
        case unavailable
    }

    /// What came of the lock.
    public enum LockAnswer: Equatable, Sendable {
        case acquired
        /// Another process has it.
        case held
        /// Redis did not answer.
        case unavailable
    }

    /// What came of asking an issuer.
    public enum IssuerAnswer: Equatable, Sendable {
        /// Active: this issuer decides, whether its rules then accept the token or not.
        case active
        /// Inactive.
        case inactive
        /// No answer, or one that says nothing.
        case failed
    }

    private enum State: Equatable {
        /// Nothing happened yet. Exits: `reading`, `asking`, `finished` (start).
        case idle
        /// The entry is being read. Exits: `locking` (none), `asking` (none, and the lock is had; no Redis), `finished`.
        case reading
        /// The lock is being set. Exits: `reading` (had), `waiting` (another has it), `asking` (no Redis), `finished`.
        case locking
        /// Another process has the lock. Exits: `reading` (pause over), `asking` (patience over), `finished` (deadline).
        case waiting
        /// The issuer at this position is being asked. Exits: `asking` (the next one), `finished`.
        case asking(Int)
        /// The end. No exits; only a lock that comes late is still released.
        case finished
    }

    public let settings: Settings
    private var state: State = .idle
    private var endsAt: Int64 = 0
    private var impatientAt: Int64 = 0
    /// How often it has waited.
    private var waits = 0
    /// The lock is this flight's.
    private var hasLock = false
    /// The lock is this flight's, or perhaps.
    private var mayHaveLock = false
    /// An issuer that was asked did not answer.
    private var anyFailed = false

    public init(settings: Settings) {
        self.settings = settings
    }

    /// Whether the outcome has been said.
    public var isFinished: Bool { self.state == .finished }

    // MARK: Events

    /// A request needs to know about the token.
    public mutating func start(now: Int64) -> [Action] {
        guard self.state == .idle else { return [] }
        self.endsAt = now.later(by: self.settings.timeout)
        self.impatientAt = now.later(by: self.settings.patience)
        return [.deadlineAt(self.endsAt)] + (self.settings.usesRedis ? self.read() : self.ask(0))
    }

    /// The entry was read, or could not be.
    public mutating func entry(_ entry: Entry, now: Int64) -> [Action] {
        guard self.state == .reading else { return [] }
        switch entry {
        case .active(let issuer) where self.settings.issuers.contains(issuer):
            return self.finish(.active(issuer: issuer, source: .redis))
        case .negative:
            return self.finish(.inactive(.redis))
        case .active, .none:
            // An entry of an issuer that is not responsible for this token is none.
            return self.hasLock ? self.ask(0) : self.lock()
        case .unavailable:
            return self.ask(0)
        }
    }

    /// The lock was set, or could not be.
    public mutating func lockAnswered(_ answer: LockAnswer, now: Int64) -> [Action] {
        guard self.state == .locking || self.state == .finished else { return [] }
        if answer != .held { self.mayHaveLock = true }
        if self.state == .finished { return self.release() }
        switch answer {
        case .acquired:
            self.hasLock = true
            return self.read()
        case .held:
            return self.wait(now: now)
        case .unavailable:
            return self.ask(0)
        }
    }

    /// An issuer was asked and answered, or did not. Ignored unless it is the one that is being asked.
    public mutating func answered(issuer: Int, _ answer: IssuerAnswer, now: Int64) -> [Action] {
        guard case .asking(let position) = self.state, self.settings.issuers[position] == issuer else { return [] }
        switch answer {
        case .active:
            return self.store(.storeActive(issuer: issuer)) + self.finish(.active(issuer: issuer, source: .issuer))
        case .failed:
            self.anyFailed = true
        case .inactive:
            break
        }
        return self.ask(position + 1)
    }

    /// The time of the last `wakeAt` has come.
    public mutating func wake(now: Int64) -> [Action] {
        guard self.state == .waiting else { return [] }
        // At the deadline it is too late to ask anybody, whichever of the two timers fires first.
        if now >= self.endsAt { return self.finish(.unavailable) }
        return now >= self.impatientAt ? self.ask(0) : self.read()
    }

    /// The time of `deadlineAt` has come.
    public mutating func deadline(now: Int64) -> [Action] {
        guard self.state != .idle, self.state != .finished, now >= self.endsAt else { return [] }
        return self.finish(.unavailable)
    }

    // MARK: Transitions

    private mutating func read() -> [Action] {
        self.state = .reading
        return [.get]
    }

    private mutating func lock() -> [Action] {
        self.state = .locking
        // Longer than the flight, so that a holder that lives has it to the end, but gone soon after one that died.
        let lifetime = self.settings.timeout.later(by: .second) / .millisecond
        return [.lock(milliseconds: Int(clamping: lifetime))]
    }

    private mutating func wait(now: Int64) -> [Action] {
        self.state = .waiting
        let pauses = self.settings.pauses
        let pause = pauses.isEmpty ? 50 * .millisecond : pauses[min(self.waits, pauses.count - 1)]
        self.waits += 1
        return [.wakeAt(min(now.later(by: pause), self.impatientAt))]
    }

    /// Asks the issuer at `position`, or draws the conclusion where there is none left.
    private mutating func ask(_ position: Int) -> [Action] {
        if position < self.settings.issuers.count {
            self.state = .asking(position)
            return [.ask(issuer: self.settings.issuers[position])]
        }
        // One that did not answer might have said yes.
        if self.anyFailed || self.settings.issuers.isEmpty { return self.finish(.unavailable) }
        return self.store(.storeNegative) + self.finish(.inactive(.issuer))
    }

    private func store(_ action: Action) -> [Action] {
        self.settings.usesRedis ? [action] : []
    }

    private mutating func finish(_ outcome: Outcome) -> [Action] {
        self.state = .finished
        return self.release() + [.finish(outcome)]
    }

    private mutating func release() -> [Action] {
        guard self.mayHaveLock else { return [] }
        self.mayHaveLock = false
        return [.unlock]
    }
}

extension Int64 {
    /// Nanoseconds in a millisecond.
    fileprivate static var millisecond: Int64 { 1_000_000 }
}
