/// A database that speaks SQL, of whichever kind. Everything that is asked of the store goes through here, so that each
/// query is written once.
///
/// Statements have `?` where their arguments go, nowhere else. What goes wrong is thrown as `StoreError`.
protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }

    /// The rows of one SELECT, outside of any transaction.
    func rows(_ sql: String, _ arguments: [SQLValue]) async throws -> [SQLRow]

    /// Runs `body` in a transaction that may change things, durable when this returns. If it throws, nothing happened, and
    /// what it threw is thrown on. There is one writer at a time in the whole database, also among processes.
    ///
    /// It may run twice, when the connection was lost before the commit.
    func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws -> Result

    /// Does the same with a minute's patience instead of seconds: with its statements, and with another who is at it.
    func migrate(_ body: @escaping @Sendable (any SQLConnection) throws -> Void) async throws

    /// Waits for what is under way and gives files and connections back.
    func close() async
}

/// A connection inside a transaction; used by one thread.
protocol SQLConnection {
    /// The rows of a SELECT. None where an argument is a text with U+0000: no text in the store holds it.
    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow]

    /// Runs a statement, and gives how many rows it inserted, changed or removed. Throws where an argument is a text with
    /// U+0000.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int

    /// Runs statements without arguments, separated by semicolons.
    func script(_ sql: String) throws
}

extension SQLDatabase {
    func rows(_ sql: String) async throws -> [SQLRow] {
        try await self.rows(sql, [])
    }
}

extension SQLConnection {
    /// The first row of a SELECT.
    func first(_ sql: String, _ arguments: [SQLValue]) throws -> SQLCells? {
        try self.rows(sql, arguments).first.map(SQLCells.init)
    }
}
