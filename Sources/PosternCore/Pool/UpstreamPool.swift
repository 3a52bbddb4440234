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
    private var idle: [ConnectionID] = []
    private var waiting: [WaiterID] = []
    private var waitingHead = 0
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
    public mutating func acquire(_ waiter: WaiterID, fresh: Bool = false) -> Action {
        if !fresh, let connection = self.idle.popLast() {
            self.busy += 1
            return .use(connection, waiter)
        }
        let mayConnect = self.connectionCount < self.limit
        guard mayConnect || self.waitingCount < self.queueLimit else {
            return .refuse(waiter)
        }
        self.waiting.append(waiter)
        guard mayConnect, self.connecting < self.waitingCount else { return .queued }
        self.connecting += 1
        return .connect
    }

    /// A connection was opened.
    public mutating func connected(_ connection: ConnectionID) -> Action {
        self.connecting -= 1
        self.busy += 1
        return self.handOver(connection)
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
    public mutating func released(_ connection: ConnectionID) -> Action { self.handOver(connection) }

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
        guard let index = self.waiting[self.waitingHead...].firstIndex(of: waiter) else { return false }
        self.waiting.remove(at: index)
        return true
    }

    /// The pool is to end: idle connections close now, others when they are released.
    public mutating func drain() -> [ConnectionID] {
        self.draining = true
        defer { self.idle.removeAll() }
        return self.idle
    }

    private mutating func handOver(_ connection: ConnectionID) -> Action {
        if let waiter = self.nextWaiter() { return .use(connection, waiter) }
        self.busy -= 1
        if self.draining { return .close(connection) }
        self.idle.append(connection)
        return .park(connection)
    }

    private mutating func nextWaiter() -> WaiterID? {
        guard self.waitingHead < self.waiting.count else { return nil }
        let waiter = self.waiting[self.waitingHead]
        self.waitingHead += 1
        if self.waitingHead == self.waiting.count {
            self.waiting.removeAll(keepingCapacity: true)
            self.waitingHead = 0
        } else if self.waitingHead >= 64, self.waitingHead * 2 >= self.waiting.count {
            self.waiting.removeFirst(self.waitingHead)
            self.waitingHead = 0
        }
        return waiter
    }
}
