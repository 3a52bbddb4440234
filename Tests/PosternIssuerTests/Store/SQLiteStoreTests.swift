import Foundation
import GRDB
import Testing

@testable import PosternIssuer

@Suite struct SQLiteStoreTests {
    private func store(_ folder: TemporaryFolder) throws -> SQLiteStore {
        try SQLiteStore(path: folder.file("store.sqlite"))
    }

    private let client = ServiceClient(
        clientID: "c1", isActive: false, isTrusted: true, accessTokenLifetime: 42,
        rateLimits: RateLimits(perMinute: 7, perHour: 70),
        allowedAddresses: ["10.0.0.0/8", "::1"].compactMap(AddressBlock.init), scopes: ["z", "a", "m"])

    private func register(_ store: SQLiteStore, digest: UInt8 = 1) async throws {
        let digest = [UInt8](repeating: digest, count: 32)
        try await store.prepare(
            purpose: .service, clients: [ClientRegistration(client: self.client, secretDigest: digest)],
            scopes: ["m"], now: 1000)
    }

    @Test("A new file has the schema, in WAL mode and with foreign keys")
    func migrates() async throws {
        let folder = try TemporaryFolder()
        let store = try self.store(folder)
        let (tables, journal, foreignKeys) = try await store.pool.read { database in
            (
                try String.fetchAll(
                    database,
                    sql: """
                        SELECT name FROM sqlite_master WHERE type = 'table'
                        AND name NOT LIKE 'sqlite_%' AND name <> 'grdb_migrations' ORDER BY name
                        """),
                try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(database, sql: "PRAGMA foreign_keys")
            )
        }
        #expect(tables == ["client", "client_scope", "client_secret", "revocation", "scope", "setting", "signing_key"])
        #expect(journal == "wal")
        #expect(foreignKeys == 1)
        let synchronous = try await store.pool.writeWithoutTransaction { database in
            try Int.fetchOne(database, sql: "PRAGMA synchronous")
        }
        #expect(synchronous == 2)
        #expect(try await store.purpose() == nil)
    }

    @Test("Opening again changes nothing, and what was written is there")
    func reopens() async throws {
        let folder = try TemporaryFolder()
        try await self.register(try self.store(folder))
        let store = try self.store(folder)
        #expect(try await store.purpose() == .service)
        #expect(try await store.client("c1") == self.client)
        #expect(try await store.secretDigests(of: "c1", now: 1000) == [[UInt8](repeating: 1, count: 32)])
        #expect(try await store.scopes() == ["m", "z", "a"])
        #expect(try await store.client("c2") == nil)
        #expect(try await store.secretDigests(of: "c2", now: 1000).isEmpty)
    }

    @Test("A file of a newer version is refused")
    func superseded() async throws {
        let folder = try TemporaryFolder()
        try await self.store(folder).pool.write { database in
            try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('9 from the future')")
        }
        #expect(
            throws: IssuerStartError.store(
                "\(folder.file("store.sqlite")) was written by a newer version of postern-issuer")
        ) { try self.store(folder) }
    }

    @Test("A file that is no database is refused with a sentence")
    func garbage() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("store.sqlite")
        #expect(FileManager.default.createFile(atPath: path, contents: Data(repeating: 0x41, count: 8192)))
        #expect(throws: IssuerStartError.store("\(path) cannot be opened: file is not a database")) {
            try self.store(folder)
        }
    }

    @Test("Registering again keeps the client's settings and replaces its secret")
    func registersAgain() async throws {
        let store = try self.store(try TemporaryFolder())
        try await self.register(store)
        try await store.pool.write { try $0.execute(sql: "UPDATE client SET access_token_lifetime = 99") }
        try await self.register(store, digest: 2)
        #expect(try await store.client("c1")?.accessTokenLifetime == 99)
        #expect(try await store.secretDigests(of: "c1", now: 1000) == [[UInt8](repeating: 2, count: 32)])
    }

    @Test(
        "Lifetimes and limits that make no sense cannot be stored",
        arguments: ["access_token_lifetime", "rate_limit_per_minute", "rate_limit_per_hour"], [0, -1, 2_147_483_648])
    func bounds(_ column: String, _ value: Int) async throws {
        let store = try self.store(try TemporaryFolder())
        try await self.register(store)
        await #expect(throws: DatabaseError.self) {
            try await store.pool.write { try $0.execute(sql: "UPDATE client SET \(column) = \(value)") }
        }
    }

    @Test("A removed client takes its secrets and grants along; a scope in use cannot go")
    func foreignKeys() async throws {
        let store = try self.store(try TemporaryFolder())
        try await self.register(store)
        await #expect(throws: DatabaseError.self) {
            try await store.pool.write { try $0.execute(sql: "DELETE FROM scope WHERE name = 'z'") }
        }
        let left = try await store.pool.write { database in
            try database.execute(sql: "DELETE FROM client")
            return try Int.fetchOne(
                database, sql: "SELECT (SELECT count(*) FROM client_scope) + (SELECT count(*) FROM client_secret)")
        }
        #expect(left == 0)
    }

    @Test("A failed preparation leaves nothing behind")
    func atomic() async throws {
        let store = try self.store(try TemporaryFolder())
        await #expect(throws: DatabaseError.self) {
            try await store.prepare(
                purpose: .service, clients: [ClientRegistration(client: self.client, secretDigest: [1, 2, 3])],
                scopes: [], now: 0)
        }
        #expect(try await store.purpose() == nil)
        #expect(try await store.client("c1") == nil)
    }
}
