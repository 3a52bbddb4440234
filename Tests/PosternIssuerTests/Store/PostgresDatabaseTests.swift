import PosternCore
import Synchronization
import Testing

@testable import PosternIssuer

@Suite struct PostgresDatabaseTests {
    /// - Parameter url: Nil: an empty store of its own.
    private func database(_ url: String? = nil, readers: Int = 1) async throws -> PostgresDatabase {
        let url = if let url { url } else { try await PostgresServer.newStore() }
        return PostgresDatabase(try PostgresURL(url), readers: readers, pause: .zero)
    }

    private func scope(_ connection: any SQLConnection, _ name: String) throws {
        try connection.execute("INSERT INTO scope (name) VALUES (?)", [.text(name)])
    }

    private static let suicide = "SELECT pg_terminate_backend(pg_backend_pid())"

    @Test("Values of every type come back as they were given")
    func values() async throws {
        let database = try await self.database()
        let blob = (0...255).map { UInt8($0) }
        let values: [SQLValue] = [
            .text("é ' \" \\ ? $1 \u{1}"), .integer(.min), .integer(.max), .blob(blob), .blob([]), .text(""),
        ]
        #expect(try await database.rows("SELECT ?, ?, ?, ?, ?, ?", values) == [values])
        #expect(
            try await database.rows("SELECT CAST(? AS BIGINT), 1, true", [.null]) == [
                [.null, .integer(1), .integer(1)]
            ])
        #expect(try await database.rows("SELECT ?", [.text("a\0")]).isEmpty)
        await database.close()
    }

    @Test("Sessions have their limits, and commits are durable whatever the server's default is")
    func settings() async throws {
        let name = try await PostgresServer.newDatabase()
        try await PostgresServer.administer("ALTER DATABASE \(name) SET synchronous_commit = off")
        let database = try await self.database(PostgresServer.url(name))
        #expect(
            try await database.rows(
                "SELECT current_setting('statement_timeout'), current_setting('synchronous_commit'), "
                    + "current_setting('idle_in_transaction_session_timeout')")
                == [[.text("5s"), .text("on"), .text("10s")]])
        let patience = "SELECT current_setting('statement_timeout')"
        try await database.migrate { connection in
            let long = try connection.rows(patience, [])
            #expect(long == [[.text("1min")]])
        }
        let usual = try await database.write { try $0.rows(patience, []) }
        #expect(usual == [[.text("5s")]])
        await database.close()
    }

    @Test("A connection that was lost while it was idle is made again, for questions and for changes")
    func idle() async throws {
        let name = try await PostgresServer.newDatabase()
        let database = try await self.database(PostgresServer.url(name))
        let store = try await SQLStore.open(database)
        try await store.ping()
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'"
        #expect(try await PostgresServer.administer(cut).count == 2)
        try await store.ping()
        try await database.write { try self.scope($0, "a") }
        #expect(try await store.scopes() == ["a"])
        await store.close()
    }

    @Test("A transaction that lost its connection before the commit is begun once more, and only once")
    func lostBefore() async throws {
        let database = try await self.database()
        let store = try await SQLStore.open(database)
        let runs = Mutex(0)
        try await database.write { connection in
            let run = runs.withLock { count in
                count += 1
                return count
            }
            try self.scope(connection, "run \(run)")
            if run == 1 { _ = try connection.rows(Self.suicide, []) }
        }
        #expect(runs.withLock { $0 } == 2)
        #expect(try await store.scopes() == ["run 2"])
        let error = await #expect(throws: StoreError.self) {
            try await database.write { connection in
                runs.withLock { $0 += 1 }
                _ = try connection.rows(Self.suicide, [])
            }
        }
        #expect(error?.kind == .unavailable)
        #expect(runs.withLock { $0 } == 4)
        await store.close()
    }

    @Test("A commit that got no answer is an error of its own, and is not repeated")
    func lostInCommit() async throws {
        let database = try await self.database()
        let store = try await SQLStore.open(database)
        try await store.script(
            """
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON scope DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.name = 'last') EXECUTE FUNCTION die();
            """)
        let runs = Mutex(0)
        let error = await #expect(throws: StoreError.self) {
            try await database.write { connection in
                runs.withLock { $0 += 1 }
                try self.scope(connection, "last")
            }
        }
        #expect(error?.kind == .unknownOutcome)
        #expect(runs.withLock { $0 } == 1)
        try await database.write { try self.scope($0, "next") }
        #expect(try await store.scopes() == ["next"])
        await store.close()
    }

    @Test("What fails at the commit is a failure, and the connection goes on")
    func failsInCommit() async throws {
        let database = try await self.database()
        let store = try await SQLStore.open(database)
        try await store.script(
            "ALTER TABLE client_scope ADD CONSTRAINT late FOREIGN KEY (scope) REFERENCES scope DEFERRABLE INITIALLY DEFERRED"
        )
        try await store.script("ALTER TABLE client_scope DROP CONSTRAINT client_scope_scope_fkey")
        let client = ServiceClient(clientID: "c", scopes: ["s"])
        let registration = ClientRegistration(client: client, secretDigest: [UInt8](repeating: 1, count: 32))
        try await store.addClient(registration, now: 0, audit: .test)
        let late = await #expect(throws: StoreError.self) {
            try await database.write { _ = try $0.execute("DELETE FROM scope", []) }
        }
        #expect(late?.kind == .failed && late?.reason.hasPrefix("23503") == true)
        // A statement's error that is overlooked does not become a commit.
        let overlooked = await #expect(throws: StoreError.self) {
            try await database.write { connection in
                try self.scope(connection, "lost")
                _ = try? connection.rows("SELECT 1 FROM nowhere", [])
            }
        }
        #expect(overlooked == StoreError(kind: .failed, reason: "the transaction was rolled back"))
        #expect(try await store.scopes() == ["s"])
        await store.close()
    }

    @Test("While the server lets nobody in the store is unavailable, and serves again afterwards")
    func away() async throws {
        let name = try await PostgresServer.newDatabase()
        let database = try await self.database(PostgresServer.url(name))
        let store = try await SQLStore.open(database)
        try await store.ping()
        try await PostgresServer.administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS false")
        try await PostgresServer.administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
        let question = await #expect(throws: StoreError.self) { try await store.ping() }
        #expect(question?.kind == .unavailable)
        let change = await #expect(throws: StoreError.self) { try await store.addAudit([.test]) }
        #expect(change?.kind == .unavailable)
        try await PostgresServer.administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS true")
        try await store.ping()
        try await store.addAudit([.test])
        await store.close()
    }

    @Test("Whoever could not connect keeps others from waiting for the same")
    func gate() async throws {
        let url = try PostgresURL("postgres:///d?host=\(try TemporaryFolder().path)&user=u")
        let gate = PostgresGate(pause: .seconds(3600))
        let first = try #require(#expect(throws: StoreError.self) { try gate.connect(url) })
        #expect(first.kind == .unavailable)
        // A server that is there by now, and is not asked.
        let there = try PostgresURL(try await PostgresServer.url("postgres"))
        #expect(throws: first) { try gate.connect(there) }
        _ = try PostgresGate(pause: .zero).connect(there)
    }

    @Test("A password is needed where the server asks for one, and is not shown")
    func password() async throws {
        let name = try await PostgresServer.newDatabase()
        try await PostgresServer.administer("CREATE ROLE guarded LOGIN PASSWORD 's3cret/@%'")
        try await PostgresServer.administer("ALTER DATABASE \(name) OWNER TO guarded")
        let text = try await PostgresServer.url(name, user: "guarded")
        func open(_ password: String) async throws -> any IssuerStore {
            let location = StoreLocation.postgres(try PostgresURL(text, password: password))
            return try await StoreConfiguration(location: location, keySource: .bytes([]), algorithm: .es256).open()
        }
        await (try open("s3cret/@%")).close()
        let error = await #expect(throws: IssuerStartError.self) { _ = try await open("wr0ng") }
        #expect(error?.description.contains("password authentication failed for user \"guarded\"") == true)
        #expect(error?.description.contains("the server has to run and let the user of --store in") == true)
        #expect(error?.description.contains("wr0ng") == false)
    }

    @Test("A database that cannot hold every text is refused")
    func encoding() async throws {
        let database = try await self.database(PostgresServer.url(PostgresServer.newDatabase(encoding: "LATIN1")))
        let error = await #expect(throws: StoreError.self) { try await database.rows("SELECT 1") }
        #expect(error?.reason == "the database's encoding is not UTF8: create it with ENCODING 'UTF8'")
        await database.close()
    }

    @Test("A question is not held up by a writer, and a writer only by writers")
    func lanes() async throws {
        let url = try await PostgresServer.newStore()
        let (one, other) = (try await self.database(url, readers: 3), try await self.database(url))
        let store = try await SQLStore.open(one)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let isHeld = Mutex(true)
        async let first: Void = one.write { connection in
            begin.yield()
            try Self.hold(connection) { isHeld.withLock { $0 } }
            try self.scope(connection, "first")
        }
        for await _ in begun { break }
        async let second: Void = other.write { try self.scope($0, "second") }
        for _ in 0..<9 { #expect(try await store.scopes().isEmpty) }
        isHeld.withLock { $0 = false }
        _ = try await (first, second)
        #expect(try await store.scopes() == ["first", "second"])
        await one.close()
        await other.close()
    }

    /// Keeps a transaction open while something is so, and busy, so that the server does not end it.
    private static func hold(_ connection: any SQLConnection, while isHeld: () -> Bool) throws {
        while isHeld() { _ = try connection.rows("SELECT 1", []) }
    }
}
