import Synchronization

/// The kind for more than one issuer: a PostgreSQL database, by libpq.
///
/// One connection writes and some read, each on a queue of its own, so that nobody's waiting holds one of Swift's own
/// threads. Among processes, whoever writes holds an advisory lock until the transaction is over: revocations appear in
/// the order of their numbers, as they do in SQLite.
struct PostgresDatabase: SQLDatabase {
    let dialect = SQLDialect.postgres

    private let writer: PostgresLane
    private let readers: PostgresReaders

    /// Connects with the first question.
    ///
    /// - Parameters:
    ///   - readers: How many connections read.
    ///   - pause: For how long nobody connects after somebody could not: others would wait in line for the same time-out.
    init(_ url: PostgresURL, readers: Int = 3, pause: Duration = .milliseconds(500)) {
        let gate = PostgresGate(pause: pause)
        self.writer = PostgresLane(url, gate: gate, name: "issuer.postgres.writer")
        self.readers = PostgresReaders(
            (0..<max(readers, 1)).map { PostgresLane(url, gate: gate, name: "issuer.postgres.reader.\($0)") })
    }

    func rows(_ sql: String, _ arguments: [SQLValue]) async throws -> [SQLRow] {
        try await self.readers.rows(sql, arguments)
    }

    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        try await self.writer.write(body)
    }

    func migrate(_ body: @escaping @Sendable (any SQLConnection) throws -> Void) async throws {
        try await self.writer.write(isMigration: true, body)
    }

    func close() async {
        await self.writer.close()
        await self.readers.close()
    }
}

/// The connections that read. A question goes to the one with the fewest before it.
private final class PostgresReaders: Sendable {
    private let lanes: [PostgresLane]
    /// How many questions each one has.
    private let loads: Mutex<[Int]>

    init(_ lanes: [PostgresLane]) {
        self.lanes = lanes
        self.loads = Mutex(Array(repeating: 0, count: lanes.count))
    }

    func rows(_ sql: String, _ arguments: [SQLValue]) async throws -> [SQLRow] {
        let index = self.loads.withLock { loads in
            let index = loads.indices.min { loads[$0] < loads[$1] } ?? 0
            loads[index] += 1
            return index
        }
        defer { self.loads.withLock { $0[index] -= 1 } }
        return try await self.lanes[index].rows(sql, arguments)
    }

    func close() async {
        for lane in self.lanes { await lane.close() }
    }
}

/// Keeps everybody from connecting for a moment after somebody could not.
final class PostgresGate: Sendable {
    private let pause: Duration
    private let failure: Mutex<(error: StoreError, time: ContinuousClock.Instant)?>

    init(pause: Duration) {
        self.pause = pause
        self.failure = Mutex(nil)
    }

    /// Connects; throws what somebody else was thrown if that was just now.
    func connect(_ url: PostgresURL) throws(StoreError) -> PostgresConnection {
        if let failure = self.failure.withLock({ $0 }), failure.time.duration(to: .now) < self.pause {
            throw failure.error
        }
        do throws(StoreError) {
            return try PostgresConnection(url)
        } catch {
            self.failure.withLock { $0 = (error, .now) }
            throw error
        }
    }
}
