import Synchronization

/// Connections that read: as many as there are threads that read at once.
final class SQLiteReaders: Sendable {
    /// In the list, behind the lock, or with the one thread that took it out.
    private struct Held: @unchecked Sendable {
        let reader: SQLiteReader
    }

    private struct State {
        var idle: [Held] = []
        var isClosed = false
    }

    /// Connections that are kept for later.
    private static let limit = 16

    private let path: String
    private let state = Mutex(State())

    /// - Parameter path: The file; it is there.
    init(path: String) {
        self.path = path
    }

    /// The rows of one SELECT, read on the caller's thread: a reader in WAL mode waits for nobody, and what it looks for is
    /// in memory; handing it to another thread would cost several times as much.
    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        let held = try self.take()
        defer { self.giveBack(held) }
        return try held.reader.rows(sql, arguments)
    }

    /// Closes those that are idle; one in use closes after its answer.
    func close() {
        let idle = self.state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        // They end here, outside of the lock.
        withExtendedLifetime(idle) {}
    }

    private func take() throws(StoreError) -> Held {
        let (idle, isClosed) = self.state.withLock { ($0.idle.popLast(), $0.isClosed) }
        if let idle { return idle }
        guard !isClosed else { throw StoreError(kind: .failed, reason: "the store is closed") }
        return Held(reader: try SQLiteReader(path: self.path))
    }

    private func giveBack(_ held: Held) {
        self.state.withLock { state in
            if !state.isClosed, state.idle.count < Self.limit { state.idle.append(held) }
        }
    }
}
