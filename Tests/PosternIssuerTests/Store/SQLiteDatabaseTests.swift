import Foundation
import Testing

@testable import PosternIssuer

@Suite struct SQLiteDatabaseTests {
    @Test("A new file is in WAL mode, with foreign keys and synchronous commits")
    func settings() async throws {
        let store = try await TestStore(.sqlite).open()
        #expect(try await store.value("PRAGMA journal_mode") == .text("wal"))
        let writer = try await store.database.write { connection in
            try ["foreign_keys", "synchronous"].map { try connection.rows("PRAGMA \($0)", []) }
        }
        #expect(writer == [[[.integer(1)]], [[.integer(2)]]])
        let patience = "SELECT timeout FROM pragma_busy_timeout"
        try await store.database.migrate { connection in
            let long = try connection.rows(patience, [])
            #expect(long == [[.integer(60_000)]])
        }
        let usual = try await store.database.write { try $0.rows(patience, []) }
        #expect(usual == [[.integer(5000)]])
        await store.close()
    }

    @Test("A file that is no database is refused with a sentence")
    func garbage() async throws {
        let place = try await TestStore(.sqlite)
        let path = place.location.description
        #expect(FileManager.default.createFile(atPath: path, contents: Data(repeating: 0x41, count: 8192)))
        await #expect(
            throws: IssuerStartError.store(
                "\(path) cannot be opened: file is not a database; its folder has to be there and writable, and the file "
                    + "to be a store or not there")
        ) { try await place.open() }
    }

    /// The schema as it was made by the version before this one.
    private static let old = """
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('1 clients and signing keys'), ('2 revocations');
        CREATE TABLE setting (
            name TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL
        ) STRICT;
        CREATE TABLE scope (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE client (
            id INTEGER PRIMARY KEY,
            client_id TEXT NOT NULL UNIQUE,
            is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
            is_trusted INTEGER NOT NULL CHECK (is_trusted IN (0, 1)),
            access_token_lifetime INTEGER NOT NULL CHECK (access_token_lifetime BETWEEN 1 AND 2147483647),
            rate_limit_per_minute INTEGER NOT NULL CHECK (rate_limit_per_minute BETWEEN 1 AND 2147483647),
            rate_limit_per_hour INTEGER NOT NULL CHECK (rate_limit_per_hour BETWEEN 1 AND 2147483647),
            allowed_ips TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE client_scope (
            client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
            scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE RESTRICT,
            position INTEGER NOT NULL,
            PRIMARY KEY (client, scope)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE client_secret (
            client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            created_at INTEGER NOT NULL,
            PRIMARY KEY (client, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE signing_key (
            id INTEGER PRIMARY KEY,
            kid TEXT NOT NULL UNIQUE,
            algorithm TEXT NOT NULL,
            sealed BLOB NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE revocation (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            member TEXT NOT NULL UNIQUE,
            until INTEGER NOT NULL,
            is_published INTEGER NOT NULL CHECK (is_published IN (0, 1))
        ) STRICT;
        CREATE INDEX revocation_until ON revocation (until);
        CREATE INDEX revocation_waiting ON revocation (id) WHERE is_published = 0;
        INSERT INTO setting VALUES ('purpose', 'service');
        INSERT INTO scope VALUES (1, 'admin:clients'), (2, 'trade:read');
        INSERT INTO client VALUES (5, 'admin', 1, 1, 900, 60, 1000, '10.0.0.0/8,::1', 1000),
            (6, 'idle', 0, 0, 7200, 1, 2, '', 1001);
        INSERT INTO client_scope VALUES (5, 2, 0), (5, 1, 1);
        INSERT INTO client_secret VALUES (5, x'\(String(repeating: "0a", count: 32))', 1000);
        INSERT INTO signing_key VALUES (1, 'k1', 'RS256', x'00ff27', 1000);
        INSERT INTO revocation VALUES (7, '{"jti":"a"}', 5000, 1), (9, '{"jti":"b"}', 5000, 0);
        """

    @Test("A file of the version before keeps everything, and gets the schema of a new one")
    func upgrades() async throws {
        let place = try await TestStore(.sqlite)
        let before = try SQLiteDatabase(path: place.location.description)
        try await before.write { try $0.script(Self.old) }
        await before.close()
        let store = try await place.open()
        #expect(try await store.purpose() == .service)
        #expect(
            try await store.client("admin")
                == ServiceClient(
                    clientID: "admin", isTrusted: true, accessTokenLifetime: 900,
                    allowedAddresses: ["10.0.0.0/8", "::1"].compactMap(AddressBlock.init),
                    scopes: ["trade:read", "admin:clients"], createdAt: 1000, updatedAt: 1000))
        #expect(try await store.client("idle")?.isActive == false)
        #expect(try await store.secretDigests(of: "admin", now: 9e9) == [[UInt8](repeating: 10, count: 32)])
        #expect(
            try await store.signingKeys() == [
                StoredSigningKey(
                    kid: "k1", algorithm: "RS256", sealed: [0, 0xFF, 0x27], createdAt: 1000, signsFrom: 1000)
            ])
        #expect(try await store.publishedRevocations(after: 0, now: 0, limit: 9).map(\.id) == [7])
        #expect(try await store.unpublishedRevocations(now: 0, limit: 9).map(\.id) == [9])
        #expect(try await store.longestAccessTokenLifetime(floor: 900) == 7200)
        #expect(try await Self.schema(store) == Self.schema(try await TestStore(.sqlite).open()))
        await store.close()
    }

    private static func schema(_ store: SQLStore) async throws -> [SQLRow] {
        try await store.database.rows("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
    }

    @Test("A question that is wrong says why, and not what it was about")
    func errors() async throws {
        let store = try await TestStore(.sqlite).open()
        let syntax = await #expect(throws: StoreError.self) {
            try await store.database.rows("SELECT * FROM nowhere WHERE a = ?", [.text("s3cret")])
        }
        #expect(syntax == StoreError(kind: .failed, reason: "no such table: nowhere"))
        let constraint = await #expect(throws: StoreError.self) {
            try await store.database.write { connection in
                for _ in 0..<2 {
                    try connection.execute("INSERT INTO scope (name) VALUES (?)", [.text("s3cret")])
                }
            }
        }
        #expect(constraint == StoreError(kind: .failed, reason: "UNIQUE constraint failed: scope.name"))
        await store.close()
    }
}
