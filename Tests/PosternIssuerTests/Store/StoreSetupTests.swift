import Testing

@testable import PosternIssuer

@Suite struct StoreSetupTests {
    private func prepare(_ store: SQLStore, digest: [UInt8], lifetime: Int = 42) async throws {
        let client = ServiceClient(clientID: "c1", accessTokenLifetime: lifetime, scopes: ["z", "m"])
        try await store.prepare(
            purpose: .service, clients: [ClientRegistration(client: client, secretDigest: digest)], scopes: ["m"],
            now: 1000)
    }

    private func digest(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

    @Test("Preparing again keeps the client's settings and replaces its secret", arguments: StoreKind.allCases)
    func again(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        #expect(try await store.purpose() == nil)
        try await self.prepare(store, digest: self.digest(1))
        #expect(try await store.purpose() == .service)
        #expect(try await store.scopes() == ["m", "z"])
        try await self.prepare(store, digest: self.digest(1))
        #expect(try await store.auditEntries(limit: 9).map(\.action) == [.storePrepared])
        try await store.rotateSecret(of: "c1", to: self.digest(3), oldUntil: 5000, now: 1000, audit: .test)
        try await self.prepare(store, digest: self.digest(1), lifetime: 99)
        #expect(try await store.secretDigests(of: "c1", now: 9000) == [self.digest(1)])
        try await self.prepare(store, digest: self.digest(2))
        #expect(try await store.secretDigests(of: "c1", now: 1000) == [self.digest(2)])
        #expect(try await store.client("c1")?.accessTokenLifetime == 42)
        await store.close()
    }

    @Test("A failed preparation leaves nothing behind", arguments: StoreKind.allCases)
    func atomic(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        await #expect(throws: StoreError.self) { try await self.prepare(store, digest: [1, 2, 3]) }
        #expect(try await store.purpose() == nil)
        #expect(try await store.client("c1") == nil)
        #expect(try await store.auditEntries(limit: 9).isEmpty)
        await store.close()
    }

    @Test(
        "Lifetimes and limits that make no sense cannot be stored", arguments: StoreKind.allCases,
        ["access_token_lifetime", "refresh_token_lifetime", "rate_limit_per_minute", "rate_limit_per_hour"])
    func bounds(_ kind: StoreKind, _ column: String) async throws {
        let store = try await TestStore(kind).open()
        try await self.prepare(store, digest: self.digest(1))
        for value in [0, -1, 2_147_483_648] {
            await #expect(throws: StoreError.self) {
                try await store.script("UPDATE client SET \(column) = \(value)")
            }
        }
        await store.close()
    }

    @Test("A scope in use cannot go; a closed store answers nothing", arguments: StoreKind.allCases)
    func foreignKeys(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await self.prepare(store, digest: self.digest(1))
        await #expect(throws: StoreError.self) { try await store.script("DELETE FROM scope WHERE name = 'z'") }
        try await store.ping()
        await store.close()
        await #expect(throws: StoreError.self) { try await store.ping() }
    }

    @Test("Two that make the same store at the same moment make one", arguments: StoreKind.allCases)
    func migrationRace(_ kind: StoreKind) async throws {
        let place = try await TestStore(kind)
        let stores = try await withThrowingTaskGroup(of: SQLStore.self) { group in
            for _ in 0..<4 { group.addTask { try await place.open() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for store in stores {
            #expect(try await store.purpose() == nil)
            await store.close()
        }
    }

    @Test(
        "Of an upgrade that fails nothing is left, and the version before opens the store",
        arguments: StoreKind.allCases)
    func failedUpgrade(_ kind: StoreKind) async throws {
        let place = try await TestStore(kind)
        let store = try await place.open()
        try await self.prepare(store, digest: self.digest(1))
        let later = [
            SQLSchema.Step(name: "6 good") { "CREATE TABLE good (id \($0.identity)); DELETE FROM client_secret" },
            SQLSchema.Step(name: "7 bad") { _ in "CREATE TABLE bad (id INTEGER); SELECT * FROM nowhere" },
        ]
        await #expect(throws: StoreError.self) {
            try await SQLMigrator.migrate(store.database, to: SQLSchema.steps + later)
        }
        await store.close()
        let again = try await place.open()
        #expect(try await again.secretDigests(of: "c1", now: 0).count == 1)
        try await SQLMigrator.migrate(again.database, to: SQLSchema.steps + later.prefix(1))
        #expect(try await again.secretDigests(of: "c1", now: 0).isEmpty)
        await again.close()
    }

    @Test("A store of a newer version is refused", arguments: StoreKind.allCases)
    func newer(_ kind: StoreKind) async throws {
        let place = try await TestStore(kind)
        let store = try await place.open()
        try await store.script(
            "INSERT INTO \(store.database.dialect.stepTable) (identifier) VALUES ('9 from the future')")
        await store.close()
        let error = await #expect(throws: IssuerStartError.self) { try await place.open() }
        #expect(error?.description.contains("was written by a newer version of postern-issuer") == true)
    }
}
