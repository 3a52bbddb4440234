import Synchronization
import Testing

@testable import PosternIssuer

@Suite struct PasswordWorkersTests {
    @Test("So many run, so many wait, and the next is refused at once; who waits gets his turn")
    func limits() async throws {
        let busy = await BusyWorkers(limit: 1, waiting: 2, waitingLimit: 2)
        #expect(busy.workers.waiting == 2)
        await #expect(throws: PasswordOverload()) { try await busy.workers.run { 9 } }
        #expect(try await busy.finish() == [0, 1, 2])
        #expect(busy.workers.running == 0)
        #expect(try await busy.workers.run { 7 } == 7)
    }

    /// How many are at work, and how many were at most.
    private final class Gauge: Sendable {
        let count = Mutex((now: 0, most: 0))

        func work() {
            self.count.withLock { count in
                count.now += 1
                count.most = max(count.most, count.now)
            }
            self.count.withLock { $0.now -= 1 }
        }
    }

    @Test("Never more than the limit run at once")
    func bounded() async throws {
        let workers = PasswordWorkers(limit: 1, waitingLimit: 100)
        let gauge = Gauge()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { try await workers.run { gauge.work() } } }
            try await group.waitForAll()
        }
        #expect(gauge.count.withLock(\.most) == 1)
        #expect(workers.running == 0)
    }

    @Test("What the work throws is thrown, and its place is free again")
    func failure() async throws {
        let workers = PasswordWorkers(limit: 1, waitingLimit: 0)
        await #expect(throws: StoreRefusal.missing) {
            try await workers.run { () throws -> Int in throw StoreRefusal.missing }
        }
        #expect(try await workers.run { 1 } == 1)
    }
}
