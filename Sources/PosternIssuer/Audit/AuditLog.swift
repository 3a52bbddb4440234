import Logging
import ServiceLifecycle
import Synchronization

/// The audit log: JSON lines, each written at once, and a table.
///
/// What changes something is in the table with the change itself. What was only given or refused is written to the table
/// a moment later, many entries in one transaction, because nobody who asks for a token should wait for a disk. When the
/// store is away the entries wait; those that are too many are in the lines alone, are counted, and the log says so.
final class AuditLog: Service {
    private enum Event: Sendable {
        /// The first entry waits.
        case first
        /// A whole batch waits.
        case full
        /// The first one has waited long enough.
        case due
    }

    private struct State {
        var waiting: [AuditEntry] = []
        var dropped: UInt64 = 0
        /// Of these, since the table last took something.
        var droppedLately = 0
    }

    /// Entries that may wait.
    static let capacity = 10_000
    /// Entries of one transaction.
    static let batch = 256
    /// How long the first entry of a batch waits for more, and how long after a failure, in seconds.
    static let delay = 0.25
    static let pause = 1.0

    /// Counts what it is told.
    let metrics: IssuerMetrics
    private let store: any AuditStore
    private let output: @Sendable (String) -> Void
    private let clock: IssuerClock
    private let logger: Logger
    private let state = Mutex(State())
    private let events: AsyncStream<Event>
    private let queue: AsyncStream<Event>.Continuation

    /// - Parameter output: Takes each line, without its end.
    init(
        store: any AuditStore, clock: IssuerClock = .system, logger: Logger = Logger(label: "postern-issuer"),
        metrics: IssuerMetrics = IssuerMetrics(), output: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.metrics = metrics
        self.output = output
        self.clock = clock
        self.logger = logger
        (self.events, self.queue) = AsyncStream.makeStream()
    }

    /// Something was given or refused: writes the line and hands the entry to whoever fills the table. Never waits for
    /// the store.
    func record(_ entry: AuditEntry) {
        self.metrics.count(entry)
        self.output(entry.line)
        let (count, isFirstDropped) = self.state.withLock { state in
            guard state.waiting.count < Self.capacity else {
                state.dropped += 1
                state.droppedLately += 1
                return (0, state.droppedLately == 1)
            }
            state.waiting.append(entry)
            return (state.waiting.count, false)
        }
        if count == 1 { self.queue.yield(.first) }
        if count > 0, count % Self.batch == 0 { self.queue.yield(.full) }
        if isFirstDropped {
            self.logger.error("the audit table does not keep up: entries are in the audit log's lines alone")
        }
    }

    /// Something was changed, and the table has it already, from the same transaction: writes the line.
    func changed(_ entry: AuditEntry) {
        self.metrics.count(entry)
        self.output(entry.line)
    }

    /// Entries that the table never got, because too many waited.
    var dropped: UInt64 { self.state.withLock(\.dropped) }

    /// Entries on their way to the table.
    var waiting: Int { self.state.withLock(\.waiting.count) }

    /// Brings all that waits by now to the table. Throws what the store throws; then the rest waits on.
    ///
    /// What comes meanwhile waits for the next time: under load there is always something, and to write that at once would
    /// make a transaction of every few entries.
    func flush() async throws {
        var rest = self.waiting
        while rest > 0 {
            let batch = self.state.withLock { state in
                let batch = Array(state.waiting.prefix(min(rest, Self.batch)))
                state.waiting.removeFirst(batch.count)
                return batch
            }
            if batch.isEmpty { break }
            rest -= batch.count
            do {
                try await self.store.addAudit(batch)
            } catch {
                self.state.withLock { $0.waiting.insert(contentsOf: batch, at: 0) }
                throw error
            }
        }
        let missing = self.state.withLock { state in
            defer { state.droppedLately = 0 }
            return state.droppedLately
        }
        guard missing > 0 else { return }
        self.logger.error("the audit table keeps up again, without some entries", metadata: ["missing": "\(missing)"])
    }

    /// Works until the graceful shutdown, or until the task is cancelled; then what still waits is written.
    func run() async throws {
        await cancelWhenGracefulShutdown { await self.work() }
        // In a task of its own: this one may have been cancelled, and the store would refuse.
        await Task { await self.end() }.value
    }

    private func work() async {
        var timer: Task<Void, any Error>?
        var hasFailed = false
        for await event in self.events {
            if case .first = event {
                if timer == nil { timer = self.due(after: Self.delay) }
                continue
            }
            timer?.cancel()
            timer = nil
            do {
                try await self.flush()
                hasFailed = false
                if self.waiting > 0 { timer = self.due(after: Self.delay) }
            } catch {
                if !hasFailed { self.report(error) }
                hasFailed = true
                timer = self.due(after: Self.pause)
            }
        }
        timer?.cancel()
    }

    private func due(after seconds: Double) -> Task<Void, any Error> {
        let (clock, queue) = (self.clock, self.queue)
        return Task {
            try await clock.sleep(seconds)
            queue.yield(.due)
        }
    }

    private func report(_ error: any Error) {
        if error is CancellationError { return }
        self.logger.error("the audit table cannot be written: entries wait", metadata: ["error": "\(error)"])
    }

    private func end() async {
        do {
            while self.waiting > 0 { try await self.flush() }
        } catch {
            self.logger.error(
                "the last audit entries are in the audit log's lines alone",
                metadata: ["missing": "\(self.waiting)", "error": "\(error)"])
        }
    }
}
