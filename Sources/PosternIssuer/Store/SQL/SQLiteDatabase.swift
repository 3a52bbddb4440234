import CSQLite
import Foundation
import GRDB

/// The embedded kind: one SQLite file in WAL mode, with foreign keys, synchronous commits, and 5 seconds of patience for
/// another writer.
struct SQLiteDatabase: SQLDatabase {
    private let pool: DatabasePool
    private let readers: SQLiteReaders

    let dialect = SQLDialect.sqlite

    /// Done once, before the first file is opened.
    private static let settings: Void = {
        _ = postern_sqlite_count_no_memory()
    }()

    /// Opens or makes the file. Throws `StoreError`.
    init(path: String) throws(StoreError) {
        Self.settings
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.label = "issuer"
        do {
            self.pool = try DatabasePool(path: path, configuration: configuration)
            // WAL's usual NORMAL may lose the last commits when power fails. Writes are rare here, and what was
            // acknowledged (a registration, a revocation) has to stay.
            try self.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            self.readers = SQLiteReaders(path: path)
        } catch {
            throw StoreError(sqlite: error)
        }
    }

    func rows(_ sql: String, _ arguments: [SQLValue]) async throws -> [SQLRow] {
        if arguments.contains(where: \.holdsNUL) { return [] }
        return try self.readers.rows(sql, arguments)
    }

    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result {
        do {
            return try await self.pool.write { try body(SQLiteConnection(database: $0)) }
        } catch let error as DatabaseError {
            throw StoreError(sqlite: error)
        }
    }

    func migrate(_ body: @escaping @Sendable (any SQLConnection) throws -> Void) async throws {
        do {
            try await self.pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = 60000")
                try database.inTransaction(.immediate) {
                    try body(SQLiteConnection(database: database))
                    return .commit
                }
                try database.execute(sql: "PRAGMA busy_timeout = 5000")
            }
        } catch let error as DatabaseError {
            throw StoreError(sqlite: error)
        }
    }

    func close() async {
        self.readers.close()
        // Waits for the writer and the readers, so it must not hold one of Swift's own threads.
        await withCheckedContinuation { closed in
            DispatchQueue.global().async {
                // What fails to close is closed by the end of the process, and the file is good after any end.
                try? self.pool.close()
                closed.resume()
            }
        }
    }
}

/// A connection of GRDB's, inside a transaction or outside.
private struct SQLiteConnection: SQLConnection {
    let database: Database

    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        if arguments.contains(where: \.holdsNUL) { return [] }
        return try SQLiteStatement(sql, in: self.database).rows(arguments)
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        if arguments.contains(where: \.holdsNUL) { throw StoreError(kind: .failed, reason: "a text holds U+0000") }
        return try SQLiteStatement(sql, in: self.database).execute(arguments)
    }

    func script(_ sql: String) throws {
        try self.database.execute(sql: sql)
    }
}

extension StoreError {
    /// What SQLite says, without the statement and its arguments.
    fileprivate init(sqlite error: any Error) {
        guard let error = error as? DatabaseError else {
            self.init(kind: .failed, reason: "\(type(of: error))")
            return
        }
        let isBusy = error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        self.init(kind: isBusy ? .unavailable : .failed, reason: error.message ?? error.resultCode.description)
    }
}
