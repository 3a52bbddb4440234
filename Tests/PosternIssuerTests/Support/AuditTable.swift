import Synchronization

@testable import PosternIssuer

/// The audit table of a store that can be taken away.
final class AuditTable: AuditStore {
    struct Away: Error {}

    private struct State {
        var batches: [[AuditEntry]] = []
        var isAway = false
        var attempts = 0
        var cuts: [Double] = []
        var waiter: (count: Int, continuation: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    /// What came, transaction by transaction.
    var batches: [[AuditEntry]] { self.state.withLock(\.batches) }
    /// The times before which it was cleared.
    var cuts: [Double] { self.state.withLock(\.cuts) }

    func setAway(_ isAway: Bool) {
        self.state.withLock { $0.isAway = isAway }
    }

    /// Returns when so many transactions have been tried since the beginning.
    func attempts(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = self.state.withLock { state in
                if state.attempts >= count { return true }
                state.waiter = (count, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func addAudit(_ entries: [AuditEntry]) async throws {
        let waiter = self.state.withLock { state in
            state.attempts += 1
            if !state.isAway { state.batches.append(entries) }
            guard let waiter = state.waiter, state.attempts >= waiter.count else {
                return nil as CheckedContinuation<Void, Never>?
            }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
        if self.state.withLock(\.isAway) { throw Away() }
    }

    func auditEntries(limit: Int) async throws -> [AuditEntry] {
        Array(self.batches.flatMap(\.self).reversed().prefix(limit))
    }

    func removeAudit(before time: Double) async throws -> Int {
        self.state.withLock { $0.cuts.append(time) }
        if self.state.withLock(\.isAway) { throw Away() }
        return 3
    }
}

/// A clock whose sleeps end when the test says so.
final class TestSleep: Sendable {
    private let asked: AsyncStream<Double>
    private let ask: AsyncStream<Double>.Continuation
    private let ends: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init() {
        (self.asked, self.ask) = AsyncStream.makeStream()
        (self.ends, self.end) = AsyncStream.makeStream()
    }

    /// Stands still at 1000.
    var clock: IssuerClock {
        IssuerClock(now: { 1000 }) { seconds in
            self.ask.yield(seconds)
            for await _ in self.ends { return }
            throw CancellationError()
        }
    }

    /// How long the next sleeper sleeps.
    func next() async -> Double? {
        for await seconds in self.asked { return seconds }
        return nil
    }

    func wake() {
        self.end.yield()
    }
}
