import PosternCore
import Testing

@Suite struct UpstreamPoolTests {
    /// A pool whose connections 1 to `idle` are idle, 1 the longest.
    private static func pool(limit: Int = 2, queue: Int = 2, idle: Int = 0) -> UpstreamPool {
        var pool = UpstreamPool(limit: limit, queueLimit: queue)
        for waiter in 0..<UInt64(idle) { _ = pool.acquire(1_000 + waiter) }
        for connection in 0..<idle { _ = pool.connected(connection + 1) }
        for connection in 0..<idle { _ = pool.released(connection + 1) }
        return pool
    }

    // MARK: - Getting a connection

    @Test("the first request opens a connection and gets it, the next one uses it again")
    func firstRequest() {
        var pool = UpstreamPool(limit: 2, queueLimit: 2)
        #expect(pool.acquire(1) == .connect)
        #expect(pool.connecting == 1 && pool.waitingCount == 1 && pool.connectionCount == 1)
        #expect(pool.connected(7) == .use(7, 1))
        #expect(pool.connecting == 0 && pool.busy == 1 && pool.waitingCount == 0)
        #expect(pool.released(7) == .park(7))
        #expect(pool.busy == 0 && pool.idleCount == 1)
        #expect(pool.acquire(2) == .use(7, 2))
        #expect(pool.busy == 1 && pool.idleCount == 0)
    }

    @Test("the connection that was used last is used first")
    func lastInFirstOut() {
        var pool = Self.pool(limit: 3, idle: 3)
        #expect(pool.acquire(1) == .use(3, 1))
        #expect(pool.acquire(2) == .use(2, 2))
        #expect(pool.released(3) == .park(3))
        #expect(pool.acquire(3) == .use(3, 3))
        #expect(pool.acquire(4) == .use(1, 4))
    }

    @Test("a request that is sent again gets a new connection even where idle ones are")
    func freshConnection() {
        var pool = Self.pool(limit: 2, idle: 1)
        #expect(pool.acquire(1, fresh: true) == .connect)
        #expect(pool.idleCount == 1 && pool.connecting == 1)
        #expect(pool.connected(9) == .use(9, 1))
    }

    @Test("at the limit requests wait, in order, and are refused when the queue is full")
    func queue() {
        var pool = UpstreamPool(limit: 1, queueLimit: 2)
        #expect(pool.acquire(1) == .connect)
        #expect(pool.connected(7) == .use(7, 1))
        #expect(pool.acquire(2) == .queued)
        #expect(pool.acquire(3) == .queued)
        #expect(pool.acquire(4) == .refuse(4))
        #expect(pool.waitingCount == 2)
        #expect(pool.released(7) == .use(7, 2))
        #expect(pool.busy == 1)
        #expect(pool.acquire(5) == .queued)
        #expect(pool.released(7) == .use(7, 3))
        #expect(pool.released(7) == .use(7, 5))
        #expect(pool.released(7) == .park(7))
    }

    @Test("without a queue a request is refused as soon as all connections are in use")
    func noQueue() {
        var pool = UpstreamPool(limit: 1, queueLimit: 0)
        #expect(pool.acquire(1) == .connect)
        #expect(pool.acquire(2) == .refuse(2))
        #expect(pool.connected(7) == .use(7, 1))
        #expect(pool.acquire(3) == .refuse(3))
        #expect(pool.released(7) == .park(7))
        #expect(pool.acquire(4) == .use(7, 4))
    }

    @Test("limits that make no sense are the smallest that do", arguments: [(0, -1), (-5, -5), (1, 0)])
    func senselessLimits(_ limit: Int, _ queue: Int) {
        var pool = UpstreamPool(limit: limit, queueLimit: queue)
        #expect(pool.limit == 1 && pool.queueLimit == 0)
        #expect(pool.acquire(1) == .connect)
        #expect(pool.acquire(2) == .refuse(2))
    }

    @Test(
        "a connection that a request before does not need any more serves the one that waits, and the new one is kept")
    func releasedBeforeConnected() {
        var pool = Self.pool(limit: 2, idle: 1)
        #expect(pool.acquire(1) == .use(1, 1))
        #expect(pool.acquire(2) == .connect)
        #expect(pool.released(1) == .use(1, 2))
        #expect(pool.connected(5) == .park(5))
        #expect(pool.idleCount == 1 && pool.busy == 1)
    }

    @Test("no more connections are opened than requests wait for")
    func noNeedlessConnections() {
        var pool = UpstreamPool(limit: 10, queueLimit: 10)
        #expect(pool.acquire(1) == .connect)
        #expect(pool.cancelled(1) == true)
        #expect(pool.acquire(2) == .queued, "the one on its way is for it")
        #expect(pool.connecting == 1)
        #expect(pool.connected(7) == .use(7, 2))
    }

    // MARK: - Failures

    @Test("a connection that cannot be opened fails the request that waits longest")
    func connectFailed() {
        var pool = UpstreamPool(limit: 2, queueLimit: 4)
        #expect(pool.acquire(1) == .connect)
        #expect(pool.acquire(2) == .connect)
        #expect(pool.connectFailed() == .fail(1, connect: false))
        #expect(pool.connectFailed() == .fail(2, connect: false))
        #expect(pool.connectionCount == 0 && pool.waitingCount == 0)
    }

    @Test("where others wait and nothing is on its way for them, another connection is tried")
    func connectFailedAndOthersWait() {
        var pool = UpstreamPool(limit: 1, queueLimit: 4)
        #expect(pool.acquire(1) == .connect)
        #expect(pool.acquire(2) == .queued)
        #expect(pool.acquire(3) == .queued)
        #expect(pool.connectFailed() == .fail(1, connect: true))
        #expect(pool.connecting == 1)
        #expect(pool.connectFailed() == .fail(2, connect: true))
        #expect(pool.connected(4) == .use(4, 3))
    }

    @Test("a failure that nobody waits for is nobody's")
    func connectFailedForNobody() {
        var pool = UpstreamPool(limit: 1, queueLimit: 4)
        #expect(pool.acquire(1) == .connect)
        #expect(pool.cancelled(1) == true)
        #expect(pool.connectFailed() == .none)
        #expect(pool.connectionCount == 0)
    }

    @Test("a connection that is gone makes room for one that somebody waits for")
    func discarded() {
        var pool = UpstreamPool(limit: 1, queueLimit: 4)
        _ = pool.acquire(1)
        _ = pool.connected(7)
        #expect(pool.acquire(2) == .queued)
        #expect(pool.discarded() == .connect)
        #expect(pool.busy == 0 && pool.connecting == 1)
        #expect(pool.connected(8) == .use(8, 2))
        #expect(pool.discarded() == .none)
        #expect(pool.connectionCount == 0)
    }

    @Test("an idle connection that closes is not given to anybody")
    func idleClosed() {
        var pool = Self.pool(limit: 2, idle: 2)
        #expect(pool.idleClosed(2) == true)
        #expect(pool.idleClosed(2) == false)
        #expect(pool.acquire(1) == .use(1, 1))
        #expect(pool.idleClosed(1) == false, "it is in use")
        #expect(pool.acquire(2) == .connect)
    }

    @Test("a waiter that gave up is not served, the ones behind it are")
    func cancelled() {
        var pool = UpstreamPool(limit: 1, queueLimit: 4)
        _ = pool.acquire(1)
        _ = pool.connected(7)
        for waiter in 2...4 as ClosedRange<UInt64> { #expect(pool.acquire(waiter) == .queued) }
        #expect(pool.cancelled(3) == true)
        #expect(pool.cancelled(3) == false)
        #expect(pool.cancelled(1) == false, "it has its connection")
        #expect(pool.waitingCount == 2)
        #expect(pool.released(7) == .use(7, 2))
        #expect(pool.cancelled(2) == false)
        #expect(pool.released(7) == .use(7, 4))
        #expect(pool.released(7) == .park(7))
    }

    @Test("a long queue is served in order to its end")
    func longQueue() {
        var pool = UpstreamPool(limit: 1, queueLimit: 1_000)
        _ = pool.acquire(0)
        _ = pool.connected(7)
        for waiter in 1...1_000 as ClosedRange<UInt64> { #expect(pool.acquire(waiter) == .queued) }
        #expect(pool.acquire(1_001) == .refuse(1_001))
        for waiter in 1...1_000 as ClosedRange<UInt64> { #expect(pool.released(7) == .use(7, waiter)) }
        #expect(pool.waitingCount == 0)
        #expect(pool.released(7) == .park(7))
    }

    // MARK: - Sent again

    @Test("a request that must have a new connection is not given one that has served")
    func freshWaiterWaitsForItsOwn() {
        var pool = Self.pool(limit: 2, idle: 2)
        #expect(pool.acquire(1) == .use(2, 1))
        #expect(pool.acquire(2) == .use(1, 2))
        // Connection 2 turned out dead: request 1 is sent again.
        #expect(pool.discarded() == .none)
        #expect(pool.acquire(3, fresh: true) == .connect)
        #expect(pool.released(1) == .park(1))
        #expect(pool.connected(5) == .use(5, 3))
    }

    @Test("a waiter that takes any connection is served before a new one is there for the other")
    func ordinaryWaiterOvertakes() {
        var pool = Self.pool(limit: 2, idle: 2)
        _ = pool.acquire(1)
        _ = pool.acquire(2)
        _ = pool.discarded()
        #expect(pool.acquire(3, fresh: true) == .connect)
        #expect(pool.acquire(4) == .queued)
        #expect(pool.released(1) == .use(1, 4))
        #expect(pool.connected(5) == .use(5, 3))
    }

    // MARK: - Drain

    @Test("draining closes idle connections now and the others when they are released")
    func drain() {
        var pool = Self.pool(limit: 3, idle: 3)
        #expect(pool.acquire(1) == .use(3, 1))
        #expect(pool.drain() == [1, 2])
        #expect(pool.drain() == [])
        #expect(pool.idleCount == 0)
        #expect(pool.released(3) == .close(3))
        #expect(pool.connectionCount == 0)
    }

    @Test("requests that wait while the pool drains are still served")
    func drainWithWaiters() {
        var pool = UpstreamPool(limit: 1, queueLimit: 2)
        _ = pool.acquire(1)
        _ = pool.connected(7)
        #expect(pool.acquire(2) == .queued)
        #expect(pool.drain() == [])
        #expect(pool.released(7) == .use(7, 2))
        #expect(pool.acquire(3) == .queued)
        #expect(pool.discarded() == .connect)
        #expect(pool.connected(8) == .use(8, 3))
        #expect(pool.released(8) == .close(8))
    }
}
