/// What is known of one name in the whole process: decides when it is looked up again, and has those who ask meanwhile
/// wait for that one answer. A machine without I/O; times are nanoseconds of one monotonic clock.
public struct NameCache<Address: Sendable, Waiter> {
    /// What the shell has to do for somebody who asks.
    public enum Action {
        /// Answer at once.
        case answer([Address])
        /// Look the name up: `found` or `failed`. Who asked waits for that.
        case lookUp
        /// A look-up is under way. Who asked waits for it.
        case wait
    }

    private var addresses: [Address] = []
    /// When they were found; nil: they are not, or not to be trusted any more.
    private var since: Int64?
    private var waiters: [Waiter] = []

    public init() {}

    /// Somebody wants the addresses, not older than `maxAge` nanoseconds.
    public mutating func wanted(by waiter: Waiter, maxAge: Int64, now: Int64) -> Action {
        if let since, now &- since <= maxAge { return .answer(self.addresses) }
        self.waiters.append(waiter)
        return self.waiters.count == 1 ? .lookUp : .wait
    }

    /// The look-up has brought these addresses. Returns who waits for them.
    public mutating func found(_ addresses: [Address], now: Int64) -> [Waiter] {
        self.addresses = addresses
        self.since = now
        return self.takeWaiters()
    }

    /// The look-up has brought nothing. Returns who waits for it.
    public mutating func failed() -> [Waiter] {
        self.since = nil
        return self.takeWaiters()
    }

    /// An address did not answer: who asks next gets what a new look-up says.
    public mutating func distrust() {
        self.since = nil
    }

    private mutating func takeWaiters() -> [Waiter] {
        defer { self.waiters = [] }
        return self.waiters
    }
}

extension NameCache: Sendable where Waiter: Sendable {}
extension NameCache.Action: Equatable where Address: Equatable {}
extension NameCache.Action: Sendable where Waiter: Sendable {}
