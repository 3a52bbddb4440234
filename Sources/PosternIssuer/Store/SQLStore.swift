/// The store over a database that speaks SQL. The queries are in the extensions, one for each protocol.
///
/// A change is one transaction, and there is one at a time in the whole database: what is looked up in it is still true
/// when it commits. A question is one statement.
struct SQLStore: IssuerStore {
    let database: any SQLDatabase
    let clientRows: ClientRows

    private init(_ database: any SQLDatabase) {
        self.database = database
        self.clientRows = ClientRows(database.dialect)
    }

    /// Takes a database with any schema of before, or none, and brings it up to date. Throws `StoreError`; the database
    /// is closed then.
    static func open(_ database: any SQLDatabase) async throws -> SQLStore {
        do {
            try await SQLMigrator.migrate(database)
        } catch {
            await database.close()
            throw error
        }
        return SQLStore(database)
    }

    func ping() async throws {
        _ = try await self.database.rows("SELECT 1")
    }

    func close() async {
        await self.database.close()
    }
}

/// Times as they are stored.
enum StoredTime {
    /// The whole second that has begun. What is out of any reason counts as the nearest that is not.
    static func second(_ time: Double) -> Int {
        Int(Self.bounded(time).rounded(.down))
    }

    /// The first whole second that is not before it.
    static func secondAfter(_ time: Double) -> Int {
        Int(Self.bounded(time).rounded(.up))
    }

    /// Whole microseconds.
    static func microseconds(_ time: Double) -> Int {
        Int((Self.bounded(time) * 1e6).rounded())
    }

    static func time(microseconds: Int) -> Double {
        Double(microseconds) / 1e6
    }

    /// Within 100,000 years, which microseconds in 64 bits hold; no number is 0.
    private static func bounded(_ time: Double) -> Double {
        time.isNaN ? 0 : min(max(time, -3e12), 3e12)
    }
}
