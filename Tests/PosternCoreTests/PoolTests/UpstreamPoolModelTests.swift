import PosternCore
import Testing

/// A shell in miniature: numbers connections and requests, knows who has what, and checks each action against it.
private struct PoolModel {
    var pool: UpstreamPool
    var violation: String?

    var nextConnection = 0
    var nextWaiter: UInt64 = 0
    var connecting = 0
    var idle: Set<Int> = []
    /// Connections in use, with the request.
    var busy: [Int: UInt64] = [:]
    var waiting: Set<UInt64> = []
    /// Of those that wait, the ones that must have a new connection.
    var fresh: Set<UInt64> = []
    var served: Set<Int> = []
    /// How each request came out; exactly once.
    var outcomes: [UInt64: String] = [:]
    var draining = false

    init(limit: Int, queue: Int) { self.pool = UpstreamPool(limit: limit, queueLimit: queue) }

    // MARK: - Events

    mutating func acquire(fresh: Bool = false) {
        self.nextWaiter += 1
        let waiter = self.nextWaiter
        let hadRoom = self.pool.connectionCount < self.pool.limit || self.waiting.count < self.pool.queueLimit
        self.waiting.insert(waiter)
        if fresh { self.fresh.insert(waiter) }
        let action = self.pool.acquire(waiter, fresh: fresh)
        if case .refuse = action, hadRoom { self.violation = "refused although there was room" }
        self.run(action, newest: nil)
    }

    mutating func connected() {
        guard self.connecting > 0 else { return }
        self.connecting -= 1
        self.nextConnection += 1
        self.run(self.pool.connected(self.nextConnection), newest: self.nextConnection)
    }

    mutating func connectFailed() {
        guard self.connecting > 0 else { return }
        self.connecting -= 1
        self.run(self.pool.connectFailed(), newest: nil)
    }

    mutating func released(_ connection: Int) {
        self.busy[connection] = nil
        self.served.insert(connection)
        self.run(self.pool.released(connection), newest: connection)
    }

    /// The connection broke; its request is perhaps sent again.
    mutating func discarded(_ connection: Int, retry: Bool) {
        self.busy[connection] = nil
        self.run(self.pool.discarded(), newest: nil)
        if retry, self.served.contains(connection) { self.acquire(fresh: true) }
    }

    mutating func idleClosed(_ connection: Int) {
        let wasIdle = self.idle.remove(connection) != nil
        if self.pool.idleClosed(connection) != wasIdle {
            self.violation = "idleClosed(\(connection)) is not \(wasIdle)"
        }
    }

    mutating func cancelled(_ waiter: UInt64) {
        let waited = self.waiting.contains(waiter)
        if self.pool.cancelled(waiter) != waited { self.violation = "cancelled(\(waiter)) is not \(waited)" }
        if waited { self.settle(waiter, "cancelled") }
    }

    mutating func drain() {
        self.draining = true
        let closed = self.pool.drain()
        if Set(closed) != self.idle || closed.count != self.idle.count { self.violation = "drained \(closed)" }
        self.idle.removeAll()
    }

    // MARK: - Actions

    private mutating func run(_ action: UpstreamPool.Action, newest: Int?) {
        switch action {
        case .none, .queued:
            break
        case .connect:
            self.connecting += 1
        case .use(let connection, let waiter):
            let isIdle = self.idle.remove(connection) != nil
            if !isIdle && connection != newest { self.violation = "connection \(connection) is not free" }
            if self.busy[connection] != nil { self.violation = "connection \(connection) is used twice" }
            if self.fresh.contains(waiter), self.served.contains(connection), !isIdle {
                self.violation = "a request that is sent again got a connection that has served"
            }
            self.busy[connection] = waiter
            self.settle(waiter, "used")
        case .refuse(let waiter):
            self.settle(waiter, "refused")
        case .fail(let waiter, let connect):
            self.settle(waiter, "failed")
            if connect { self.connecting += 1 }
        case .park(let connection):
            if connection != newest || self.draining { self.violation = "parked \(connection)" }
            self.idle.insert(connection)
        case .close(let connection):
            if connection != newest || !self.draining { self.violation = "closed \(connection)" }
        }
        self.checkCounts()
    }

    private mutating func settle(_ waiter: UInt64, _ outcome: String) {
        if !self.waiting.contains(waiter) { self.violation = "\(waiter) did not wait and is \(outcome)" }
        if let before = self.outcomes[waiter] { self.violation = "\(waiter) was \(before) and is \(outcome)" }
        self.waiting.remove(waiter)
        self.fresh.remove(waiter)
        self.outcomes[waiter] = outcome
    }

    private mutating func checkCounts() {
        let isCounted =
            self.pool.idleCount == self.idle.count && self.pool.busy == self.busy.count
            && self.pool.connecting == self.connecting && self.pool.waitingCount == self.waiting.count
        if !isCounted { self.violation = "counts differ" }
        if self.pool.connectionCount > self.pool.limit { self.violation = "more connections than the limit" }
        if self.waiting.count > self.pool.queueLimit + self.connecting {
            self.violation = "more wait than the queue holds and connections are on their way for"
        }
        // Somebody waits: a connection is on its way, or all are in use and one will be released.
        if !self.waiting.isEmpty, self.connecting == 0, self.busy.isEmpty { self.violation = "a waiter is lost" }
        if !self.waiting.isEmpty, self.connecting < self.waiting.count, self.pool.connectionCount < self.pool.limit {
            self.violation = "a waiter is left alone although a connection could be opened"
        }
    }
}

@Suite struct UpstreamPoolModelTests {
    @Test("the pool keeps its limits and loses nobody through 80,000 random events", arguments: 0..<16)
    func randomEvents(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(200 + seed))
        var model = PoolModel(
            limit: Int.random(in: 1...4, using: &numbers), queue: Int.random(in: 0...5, using: &numbers))
        for step in 0..<5_000 {
            let busy = model.busy.keys.sorted().randomElement(using: &numbers)
            switch Int.random(in: 0..<14, using: &numbers) {
            case 0...4: model.acquire()
            case 5, 6: model.connected()
            case 7: model.connectFailed()
            case 8...10: if let busy { model.released(busy) }
            case 11: if let busy { model.discarded(busy, retry: Bool.random(using: &numbers)) }
            case 12:
                if let idle = model.idle.sorted().randomElement(using: &numbers) ?? busy { model.idleClosed(idle) }
            default:
                let waiter = model.waiting.sorted().randomElement(using: &numbers)
                model.cancelled(waiter ?? model.nextWaiter)
            }
            if step == 4_900, seed % 2 == 0 { model.drain() }
            if let violation = model.violation {
                Issue.record("step \(step): \(violation)")
                return
            }
        }
        // In the end everybody has an outcome.
        while model.violation == nil, model.connecting > 0 || !model.busy.isEmpty {
            if model.connecting > 0 {
                model.connected()
            } else if let busy = model.busy.keys.first {
                model.released(busy)
            }
        }
        #expect(model.violation == nil)
        #expect(model.waiting.isEmpty)
        #expect(model.outcomes.count == Int(model.nextWaiter))
        #expect(Set(model.outcomes.values) == ["used", "refused", "failed", "cancelled"])
    }

    @Test("requests that are sent again as everything breaks get new connections, or an answer", arguments: 0..<8)
    func everythingBreaks(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(250 + seed))
        for _ in 0..<200 {
            var model = PoolModel(limit: 4, queue: 8)
            for _ in 0..<4 { model.acquire() }
            for _ in 0..<4 { model.connected() }
            for connection in 1...4 { model.released(connection) }
            for _ in 0..<Int.random(in: 4...8, using: &numbers) { model.acquire() }
            // The upstream restarts: all connections die in any order, between other events.
            while let connection = model.busy.keys.sorted().randomElement(using: &numbers), model.violation == nil {
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0: model.connected()
                case 1: model.released(connection)
                default: model.discarded(connection, retry: true)
                }
            }
            while model.connecting > 0, model.violation == nil { model.connected() }
            if let violation = model.violation {
                Issue.record("\(violation)")
                return
            }
        }
    }
}
