import GRDB
import GRDBSQLite

// All calls of SQLite are in this file. Its pointers are safe here because a statement is used by one thread at a time,
// inside the closure that lends its connection; because what is bound is copied by SQLite at once; and because what a column
// gives is copied before the next step.

/// A connection that only reads, with the statements that it has prepared. GRDB's own take several times what SQLite needs
/// for a row: each read looks at the schema first, and goes through a queue.
///
/// Used by one thread at a time.
final class SQLiteReader {
    private let connection: OpaquePointer
    /// In the order of their first use. There are a few dozen, and a text is nearly always told apart by where it lies or by
    /// its first words: to go through them costs less than a hash over a whole text.
    private var statements: [(sql: String, handle: OpaquePointer)] = []

    /// Opens the file, which is there already. Throws `StoreError`.
    init(path: String) throws(StoreError) {
        var connection: OpaquePointer?
        let code = sqlite3_open_v2(path, &connection, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard let connection, code == SQLITE_OK else {
            defer { sqlite3_close_v2(connection) }
            throw StoreError(sqlite: code, connection)
        }
        sqlite3_busy_timeout(connection, 5000)
        self.connection = connection
    }

    deinit {
        for statement in self.statements { sqlite3_finalize(statement.handle) }
        sqlite3_close_v2(self.connection)
    }

    /// The rows of one SELECT. Throws `StoreError`.
    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        try SQLiteStatement(handle: try self.statement(sql), connection: self.connection).rows(arguments)
    }

    private func statement(_ sql: String) throws(StoreError) -> OpaquePointer {
        for known in self.statements where known.sql == sql { return known.handle }
        var made: OpaquePointer?
        let code = sqlite3_prepare_v3(self.connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
        guard let made, code == SQLITE_OK else { throw StoreError(sqlite: code, self.connection) }
        self.statements.append((sql, made))
        return made
    }
}

/// A prepared statement, bound and stepped by SQLite's own functions.
struct SQLiteStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer

    fileprivate init(handle: OpaquePointer, connection: OpaquePointer) {
        self.handle = handle
        self.connection = connection
    }

    /// Takes a statement out of the connection's cache, or prepares it.
    init(_ sql: String, in database: Database) throws {
        guard let connection = database.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
        self.init(handle: try database.cachedStatement(sql: sql).sqliteStatement, connection: connection)
    }

    /// The rows that it gives.
    func rows(_ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        defer { self.reset() }
        try self.bind(arguments)
        var rows: [SQLRow] = []
        let width = sqlite3_column_count(self.handle)
        while try self.step() {
            var row: SQLRow = []
            row.reserveCapacity(Int(width))
            for index in 0..<width { row.append(try self.value(index)) }
            rows.append(row)
        }
        return rows
    }

    /// Runs it, and gives how many rows it inserted, changed or removed.
    func execute(_ arguments: [SQLValue]) throws(StoreError) -> Int {
        defer { self.reset() }
        try self.bind(arguments)
        while try self.step() {}
        return Int(sqlite3_changes(self.connection))
    }

    /// Whether there is a row.
    private func step() throws(StoreError) -> Bool {
        let code = sqlite3_step(self.handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw self.error(code)
    }

    /// Ends it and forgets what was bound: it may be a secret's digest, and the statement is kept.
    private func reset() {
        sqlite3_reset(self.handle)
        sqlite3_clear_bindings(self.handle)
    }

    private func error(_ code: Int32) -> StoreError {
        StoreError(sqlite: code, self.connection)
    }

    // MARK: - Values

    /// SQLite copies what it is given, before the call returns: SQLITE_TRANSIENT, which C writes as a cast.
    private static var copied: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    private func bind(_ arguments: [SQLValue]) throws(StoreError) {
        guard Int(sqlite3_bind_parameter_count(self.handle)) == arguments.count else {
            throw StoreError(kind: .failed, reason: "wrong number of arguments")
        }
        var index: Int32 = 0
        for argument in arguments {
            index += 1
            let code =
                switch argument {
                case .null: sqlite3_bind_null(self.handle, index)
                case .integer(let number): sqlite3_bind_int64(self.handle, index, Int64(number))
                case .text(let text): self.bind(text, index)
                case .blob(let bytes): self.bind(bytes, index)
                }
            guard code == SQLITE_OK else { throw self.error(code) }
        }
    }

    private func bind(_ text: String, _ index: Int32) -> Int32 {
        text.withCString {
            sqlite3_bind_text(self.handle, index, $0, Int32(clamping: text.utf8.count), Self.copied)
        }
    }

    private func bind(_ bytes: [UInt8], _ index: Int32) -> Int32 {
        // Without an address it would be null.
        guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(self.handle, index, 0) }
        return bytes.withUnsafeBytes {
            sqlite3_bind_blob(self.handle, index, $0.baseAddress, Int32(clamping: $0.count), Self.copied)
        }
    }

    private func value(_ index: Int32) throws(StoreError) -> SQLValue {
        switch sqlite3_column_type(self.handle, index) {
        case SQLITE_NULL: return .null
        case SQLITE_INTEGER: return .integer(Int(sqlite3_column_int64(self.handle, index)))
        case SQLITE_TEXT:
            // First the text, then its length: that is the order in which SQLite keeps its promise.
            guard let start = sqlite3_column_text(self.handle, index) else { throw self.error(SQLITE_NOMEM) }
            let count = Int(sqlite3_column_bytes(self.handle, index))
            return .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            guard let start = sqlite3_column_blob(self.handle, index) else { return .blob([]) }
            let count = Int(sqlite3_column_bytes(self.handle, index))
            return .blob([UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        default: throw StoreError.malformed("a value is a fraction")
        }
    }
}

extension StoreError {
    /// What SQLite says, without the statement and its arguments.
    fileprivate init(sqlite code: Int32, _ connection: OpaquePointer?) {
        // The lower octet is the kind of error; the others say more of it.
        let isBusy = [SQLITE_BUSY, SQLITE_LOCKED].contains(code & 0xFF)
        let message = connection.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        self.init(kind: isBusy ? .unavailable : .failed, reason: message.map { String(cString: $0) } ?? "error \(code)")
    }
}
