/// The pool of connections to one upstream, of one event loop: a machine without I/O. Connections and requests are
/// numbers that the shell gives.
public struct UpstreamPool: Sendable {
    /// A connection, as the shell numbers it.
    public typealias ConnectionID = Int
    /// A request that waits for a connection, as the shell numbers it.
    public typealias WaiterID = UInt64

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case none
        /// Send the waiter's request on this idle connection.
        case use(ConnectionID, WaiterID)
        /// Open one more connection; the waiter stands in the queue.
        case connect
        /// Nothing to do but wait: the connections are all in use or on their way.
        case queued
        /// Tell the waiter that there is no place (503).
        case refuse(WaiterID)
        /// Tell the waiter that no connection could be opened (502), and open another one if `connect`.
        case fail(WaiterID, connect: Bool)
        /// The connection is kept for later.
        case park(ConnectionID)
        /// Close the connection.
        case close(ConnectionID)
    }

    /// Connections that may be open or opening at once.
    public let limit: Int
    /// Requests that may wait.
    public let queueLimit: Int
    private struct Waiter: Sendable {
        var id: WaiterID
        /// Only a connection that has not served yet will do.
        var fresh: Bool
    }

    private var idle: [ConnectionID] = []
    private var waiting: [Waiter] = []
    private var waitingHead = 0
    /// How many of those that wait are `fresh`.
    private var freshCount = 0
    /// Connections that are in use.
    public private(set) var busy = 0
    /// Connections that are being opened.
    public private(set) var connecting = 0
    private var draining = false

    public init(limit: Int, queueLimit: Int) {
        self.limit = max(1, limit)
        self.queueLimit = max(0, queueLimit)
    }

    /// Idle connections.
    public var idleCount: Int { self.idle.count }
    /// Requests that wait.
    public var waitingCount: Int { self.waiting.count - self.waitingHead }
    /// All connections.
    public var connectionCount: Int { self.idle.count + self.busy + self.connecting }

    /// A request wants a connection. The one that was used last is the one least likely to be closed by the upstream.
    ///
    /// - Parameter fresh: the request is sent again: a connection that has served before may be as dead as its last one,
    ///   so it gets a new one, before the others that wait. Only where no new one can be opened an idle one has to do.
    public mutating func acquire(_ waiter: WaiterID, fresh: Bool = false) -> Action {
        let mayConnect = self.connectionCount < self.limit
        if !fresh || !mayConnect, let connection = self.idle.popLast() {
            self.busy += 1
            return .use(connection, waiter)
        }
        guard mayConnect || self.waitingCount < self.queueLimit else {
            return .refuse(waiter)
        }
        self.waiting.append(Waiter(id: waiter, fresh: fresh))
        if fresh { self.freshCount += 1 }
        guard mayConnect, self.connecting < self.waitingCount else { return .queued }
        self.connecting += 1
        return .connect
    }

    /// A connection was opened.
    public mutating func connected(_ connection: ConnectionID) -> Action {
        self.connecting -= 1
        self.busy += 1
        return self.handOver(connection, to: self.waiterForNew())
    }

    /// A connection could not be opened. The request that waits longest learns it; where others wait and nothing is on
    /// its way for them, another one is tried.
    public mutating func connectFailed() -> Action {
        self.connecting -= 1
        guard let waiter = self.nextWaiter() else { return .none }
        let more = self.connecting < self.waitingCount && self.connectionCount < self.limit
        if more { self.connecting += 1 }
        return .fail(waiter, connect: more)
    }

    /// An exchange is over and its connection can serve another.
    public mutating func released(_ connection: ConnectionID) -> Action {
        self.handOver(connection, to: self.waiterForServed())
    }

    /// A connection that was in use is gone, or not to be used again.
    public mutating func discarded() -> Action {
        self.busy -= 1
        guard self.connecting < self.waitingCount, self.connectionCount < self.limit else { return .none }
        self.connecting += 1
        return .connect
    }

    /// An idle connection is gone, or has been idle for as long as it may. Returns false if it was not idle.
    public mutating func idleClosed(_ connection: ConnectionID) -> Bool {
        guard let index = self.idle.lastIndex(of: connection) else { return false }
        self.idle.remove(at: index)
        return true
    }

    /// A waiter gives up (its time is over, or its client is gone). Returns false if it did not wait.
    public mutating func cancelled(_ waiter: WaiterID) -> Bool {
        guard let index = self.waiting[self.waitingHead...].firstIndex(where: { $0.id == waiter }) else { return false }
        self.take(at: index)
        return true
    }

    /// The pool is to end: idle connections close now, others when they are released.
    public mutating func drain() -> [ConnectionID] {
        self.draining = true
        defer { self.idle.removeAll() }
        return self.idle
    }

    private mutating func handOver(_ connection: ConnectionID, to waiter: WaiterID?) -> Action {
        if let waiter { return .use(connection, waiter) }
        self.busy -= 1
        if self.draining { return .close(connection) }
        self.idle.append(connection)
        return .park(connection)
    }

    // MARK: - Queue

    /// Takes the waiter that a new connection is for.
    private mutating func waiterForNew() -> WaiterID? {
        guard self.freshCount > 0, let index = self.waiting[self.waitingHead...].firstIndex(where: \.fresh) else {
            return self.nextWaiter()
        }
        return self.take(at: index)
    }

    /// Takes the waiter that a connection which has served is for: not one that needs a new connection, unless none is
    /// on its way for it.
    private mutating func waiterForServed() -> WaiterID? {
        guard self.freshCount > 0 else { return self.nextWaiter() }
        if let index = self.waiting[self.waitingHead...].firstIndex(where: { !$0.fresh }) {
            return self.take(at: index)
        }
        return self.freshCount > self.connecting ? self.nextWaiter() : nil
    }

    /// Takes the waiter that waits longest.
    private mutating func nextWaiter() -> WaiterID? {
        self.waitingHead < self.waiting.count ? self.take(at: self.waitingHead) : nil
    }

    @discardableResult
    private mutating func take(at index: Int) -> WaiterID {
        let waiter = self.waiting[index]
        if waiter.fresh { self.freshCount -= 1 }
        guard index == self.waitingHead else {
            self.waiting.remove(at: index)
            return waiter.id
        }
        self.waitingHead += 1
        if self.waitingHead == self.waiting.count {
            self.waiting.removeAll(keepingCapacity: true)
            self.waitingHead = 0
        } else if self.waitingHead >= 64, self.waitingHead * 2 >= self.waiting.count {
            self.waiting.removeFirst(self.waitingHead)
            self.waitingHead = 0
        }
        return waiter.id
    }
}
