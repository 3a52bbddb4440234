import CPostgreSQL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A session with a PostgreSQL server, used by one thread at a time. Every call waits for the server; all calls of libpq
/// are in this file.
final class PostgresConnection: SQLConnection {
    private let session: OpaquePointer
    /// The names of the statements that the server has prepared.
    private var prepared: [Preparation: String] = [:]
    /// The server is one that takes no changes (any more): another one may.
    private var isReadOnly = false

    /// The same text with other types is another statement to the server.
    private struct Preparation: Hashable {
        var sql: String
        var types: [UInt32]
    }

    /// Connects and logs in. Throws `StoreError`.
    init(_ url: PostgresURL) throws(StoreError) {
        let parameters = url.parameters
        let keywords = parameters.map { strdup($0.name) }
        let values = parameters.map { strdup($0.value) }
        defer { for pointer in keywords + values { free(pointer) } }
        // "1": what stands in `dbname` is the whole URL. It overrides what comes before it.
        let session = PQconnectdbParams(
            keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
        guard let session else { throw StoreError(kind: .unavailable, reason: "out of memory") }
        self.session = session
        // libpq writes notices to standard error otherwise.
        PQsetNoticeProcessor(session, { _, _ in }, nil)
        guard PQstatus(session) == CONNECTION_OK else {
            throw StoreError(kind: .unavailable, reason: Self.sentence(PQerrorMessage(session)))
        }
        guard PQparameterStatus(session, "server_encoding").map({ String(cString: $0) }) == "UTF8" else {
            throw StoreError(
                kind: .failed, reason: "the database's encoding is not UTF8: create it with ENCODING 'UTF8'")
        }
        try self.script(Self.settings)
    }

    deinit {
        PQfinish(self.session)
    }

    /// 5 seconds of patience with a statement, as with another writer in SQLite. A transaction whose process has vanished
    /// lets the next writer in. What was committed is durable, whatever the server's default is.
    private static let settings = """
        SET statement_timeout = '5s';
        SET idle_in_transaction_session_timeout = '10s';
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
        """

    /// Whether only a new connection can help.
    var isLost: Bool { self.isReadOnly || PQstatus(self.session) == CONNECTION_BAD }

    // MARK: - Transactions

    /// Begins a transaction, and waits until no other writer of this store is in one. The first number is that of the
    /// issuer's locks, the second one that of the schema: a database may hold several stores.
    ///
    /// - Parameter isMigration: Whether each statement of the transaction, and the waiting, has a minute.
    func begin(isMigration: Bool) throws(StoreError) {
        try self.script(
            """
            BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
            \(isMigration ? "SET LOCAL statement_timeout = '60s';" : "")
            SELECT pg_advisory_xact_lock(1886352754, hashtext(coalesce(current_schema(), '')));
            """)
    }

    /// Throws `.unknownOutcome` if the connection is lost before the server has answered.
    func commit() throws(StoreError) {
        let result = PQexec(self.session, "COMMIT")
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else {
            var error = self.failure(result)
            if self.isLost { error.kind = .unknownOutcome }
            throw error
        }
        // The server answers a commit with a rollback where a statement has failed before.
        guard String(cString: PQcmdStatus(result)) == "COMMIT" else {
            throw StoreError(kind: .failed, reason: "the transaction was rolled back")
        }
    }

    func rollback() throws(StoreError) {
        try self.script("ROLLBACK")
    }

    // MARK: - Statements

    func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        if arguments.contains(where: \.holdsNUL) { return [] }
        let result = try self.run(sql, arguments)
        defer { PQclear(result) }
        let columns = (0..<PQnfields(result)).map { PQftype(result, $0) }
        var rows: [SQLRow] = []
        for row in 0..<PQntuples(result) {
            var values: SQLRow = []
            for (column, type) in columns.enumerated() {
                values.append(try Self.value(result, row, Int32(column), type))
            }
            rows.append(values)
        }
        return rows
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int {
        if arguments.contains(where: \.holdsNUL) { throw StoreError(kind: .failed, reason: "a text holds U+0000") }
        let result = try self.run(sql, arguments)
        defer { PQclear(result) }
        return Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    func script(_ sql: String) throws(StoreError) {
        let result = PQexec(self.session, sql)
        defer { PQclear(result) }
        try self.check(result)
    }

    /// The result of a statement, for the caller to clear.
    private func run(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> OpaquePointer? {
        let encoded = PostgresArguments(arguments)
        let name = try self.prepare(Preparation(sql: sql, types: encoded.types))
        let result = encoded.octets.withUnsafeBytes { octets in
            let base = octets.baseAddress?.assumingMemoryBound(to: CChar.self)
            return PQexecPrepared(
                self.session, name, Int32(encoded.ranges.count),
                encoded.ranges.map { range in range.flatMap { base?.advanced(by: $0.lowerBound) } },
                encoded.ranges.map { Int32($0?.count ?? 0) }, encoded.ranges.map { _ in 1 }, 1)
        }
        do throws(StoreError) {
            try self.check(result)
        } catch {
            PQclear(result)
            throw error
        }
        return result
    }

    private func prepare(_ preparation: Preparation) throws(StoreError) -> String {
        if let name = self.prepared[preparation] { return name }
        let name = "s\(self.prepared.count)"
        let result = PQprepare(
            self.session, name, PostgresPlaceholders.numbered(preparation.sql), Int32(preparation.types.count),
            preparation.types)
        defer { PQclear(result) }
        try self.check(result)
        self.prepared[preparation] = name
        return name
    }

    private static func value(
        _ result: OpaquePointer?, _ row: Int32, _ column: Int32, _ type: UInt32
    ) throws(StoreError) -> SQLValue {
        if PQgetisnull(result, row, column) == 1 { return .null }
        let octets = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        return try PostgresType.value(Array(octets), of: type)
    }

    // MARK: - Failures

    private func check(_ result: OpaquePointer?) throws(StoreError) {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return
        default: throw self.failure(result)
        }
    }

    private func failure(_ result: OpaquePointer?) -> StoreError {
        func field(_ code: UInt8) -> String? {
            PQresultErrorField(result, Int32(code)).map { Self.sentence($0) }
        }
        let state = field(UInt8(ascii: "C")) ?? ""
        // A server that became a replica: read_only_sql_transaction.
        if state == "25006" { self.isReadOnly = true }
        let message = field(UInt8(ascii: "M")) ?? Self.sentence(PQerrorMessage(self.session))
        return PostgresFailure.error(state: state, message: message, isLost: self.isLost)
    }

    /// In one line.
    private static func sentence(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "" }
        let lines = String(cString: text).split(whereSeparator: \.isNewline)
        return lines.map { line in line.drop { $0.isWhitespace } }.joined(separator: "; ")
    }
}

/// libpq's reader of URLs.
enum PostgresURLReader {
    /// What the URL sets, by libpq's names (`host`, `dbname` …); nil if it cannot be read.
    static func options(_ text: String) -> [String: String]? {
        // The text of its errors repeats parts of the URL, the password perhaps: nobody sees it.
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(text, &message)
        defer {
            PQconninfoFree(options)
            PQfreemem(message)
        }
        guard var option = options else { return nil }
        var found: [String: String] = [:]
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { found[String(cString: keyword)] = String(cString: value) }
            option = option.successor()
        }
        return found
    }
}
