import Dispatch

/// One connection, and the queue that waits for it. Made when it is first needed, and again when it was lost.
actor PostgresLane {
    private let url: PostgresURL
    private let gate: PostgresGate
    private let executor: QueueExecutor
    private var connection: PostgresConnection?
    private var isClosed = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    init(_ url: PostgresURL, gate: PostgresGate, name: String) {
        self.url = url
        self.gate = gate
        self.executor = QueueExecutor(name: name)
    }

    /// The rows of one SELECT. Asked once more where the connection was lost: the usual reason is that it was lost long
    /// ago.
    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        do throws(StoreError) {
            return try self.connected().rows(sql, arguments)
        } catch {
            guard self.dropsLost() else { throw error }
        }
        do throws(StoreError) {
            return try self.connected().rows(sql, arguments)
        } catch {
            _ = self.dropsLost()
            throw error
        }
    }

    /// Runs `body` in a transaction. Begun once more where the connection was lost before the commit; a commit that was
    /// sent is never repeated.
    func write<Result: Sendable>(
        isMigration: Bool = false, _ body: @Sendable (any SQLConnection) throws -> Result
    ) throws -> Result {
        do {
            return try self.transaction(isMigration, body)
        } catch let error as StoreError {
            guard self.dropsLost(), error.kind != .unknownOutcome else { throw error }
        }
        do {
            return try self.transaction(isMigration, body)
        } catch {
            _ = self.dropsLost()
            throw error
        }
    }

    private func transaction<Result: Sendable>(
        _ isMigration: Bool, _ body: (any SQLConnection) throws -> Result
    ) throws -> Result {
        let connection = try self.connected()
        try connection.begin(isMigration: isMigration)
        let result: Result
        do {
            result = try body(connection)
        } catch {
            // One that cannot be rolled back ends with its connection.
            if !connection.isLost, (try? connection.rollback()) == nil { self.connection = nil }
            throw error
        }
        do throws(StoreError) {
            try connection.commit()
        } catch {
            if !connection.isLost, (try? connection.rollback()) == nil { self.connection = nil }
            throw error
        }
        return result
    }

    private func connected() throws(StoreError) -> PostgresConnection {
        if self.isClosed { throw StoreError(kind: .failed, reason: "it is closed") }
        if let connection { return connection }
        let fresh = try self.gate.connect(self.url)
        self.connection = fresh
        return fresh
    }

    /// Forgets the connection if it was lost, and says whether it was.
    private func dropsLost() -> Bool {
        guard let connection, connection.isLost else { return false }
        self.connection = nil
        return true
    }

    /// Comes after everything that was asked before.
    func close() {
        self.isClosed = true
        self.connection = nil
    }
}

/// Runs an actor on a dispatch queue of its own, whose thread may wait.
private final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(name: String) {
        self.queue = DispatchQueue(label: name)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
