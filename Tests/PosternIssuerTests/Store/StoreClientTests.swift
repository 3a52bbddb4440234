import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct StoreClientTests {
    private let client = ServiceClient(
        clientID: "c1", name: "One", description: "The \"first\"", isActive: true, isTrusted: true,
        accessTokenLifetime: 42, refreshTokenLifetime: 420, rateLimits: RateLimits(perMinute: 7, perHour: 70),
        contactEmail: "a@b.example", allowedAddresses: ["10.0.0.0/8", "::1"].compactMap(AddressBlock.init),
        scopes: ["z", "a", "m"], keySet: "{\"keys\":[]}")

    private func digest(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

    private func add(_ store: SQLStore, _ clientID: String? = nil, now: Double = 1000) async throws {
        var client = self.client
        client.clientID = clientID ?? client.clientID
        try await store.addClient(
            ClientRegistration(client: client, secretDigest: self.digest(1)), now: now, audit: .test)
    }

    @Test("A client is kept with everything that it has, also over opening again", arguments: StoreKind.allCases)
    func adds(_ kind: StoreKind) async throws {
        let place = try await TestStore(kind)
        let store = try await place.open()
        try await self.add(store, now: 1000.9)
        await #expect(throws: StoreRefusal.exists) { try await self.add(store) }
        await store.close()
        let again = try await place.open()
        var expected = self.client
        expected.createdAt = 1000
        expected.updatedAt = 1000
        #expect(try await again.client("c1") == expected)
        #expect(try await again.secretDigests(of: "c1", now: 1000) == [self.digest(1)])
        #expect(try await again.scopes() == ["z", "a", "m"])
        #expect(try await again.client("c2") == nil)
        #expect(try await again.secretDigests(of: "c2", now: 1000).isEmpty)
        #expect(try await again.auditEntries(limit: 9) == [.test])
        await again.close()
    }

    @Test("A name with U+0000 is another name", arguments: StoreKind.allCases)
    func nul(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await self.add(store)
        #expect(try await store.client("c1\0") == nil)
        #expect(try await store.secretDigests(of: "c1\0", now: 1000).isEmpty)
        await #expect(throws: StoreRefusal.missing) { try await store.removeClient("c1\0", now: 1, audit: .test) }
        await #expect(throws: StoreRefusal.missing) {
            try await store.rotateSecret(of: "c1\0", to: self.digest(2), oldUntil: 0, now: 1, audit: .test)
        }
        await #expect(throws: StoreError.self) { try await self.add(store, "c1\0") }
        #expect(try await store.clients(after: nil, limit: 9).items.map(\.clientID) == ["c1"])
        await store.close()
    }

    @Test("Lists go by the octets of the name, page by page", arguments: StoreKind.allCases)
    func pages(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        for name in ["b", "a.b", "Z", "a_b", "a", "a-b"] { try await self.add(store, name) }
        let order = ["Z", "a", "a-b", "a.b", "a_b", "b"]
        let all = try await store.clients(after: nil, limit: 6)
        #expect(all.items.map(\.clientID) == order)
        #expect(all.items.allSatisfy { $0.scopes == ["z", "a", "m"] })
        #expect(all.next == nil)
        let first = try await store.clients(after: nil, limit: 4)
        #expect(first.items.map(\.clientID) == Array(order[..<4]))
        #expect(first.next == "a.b")
        let second = try await store.clients(after: first.next, limit: 4)
        #expect(second.items.map(\.clientID) == Array(order[4...]))
        #expect(second.next == nil)
        #expect(try await store.clients(after: "b", limit: 4) == Page(items: [], next: nil))
        await store.close()
    }

    @Test("A change is kept; what is not the endpoint's stays", arguments: StoreKind.allCases)
    func changes(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await self.add(store)
        let changed = try await store.changeClient("c1", now: 2000, audit: .test) { client in
            client.clientID = "c9"
            client.createdAt = 5
            client.tokensValidFrom = 5
            client.name = "Other"
            client.scopes = ["n", "a", "n"]
            client.keySet = nil
            client.allowedAddresses = []
        }
        var expected = self.client
        expected.name = "Other"
        expected.scopes = ["n", "a"]
        expected.keySet = nil
        expected.allowedAddresses = []
        expected.createdAt = 1000
        expected.updatedAt = 2000
        #expect(changed == expected)
        #expect(try await store.client("c1") == expected)
        #expect(try await store.scopes() == ["z", "a", "m", "n"])
        #expect(try await store.unpublishedRevocations(now: 0, limit: 9).isEmpty)
        #expect(try await store.auditEntries(limit: 9).count == 2)
        await #expect(throws: StoreRefusal.missing) {
            _ = try await store.changeClient("c9", now: 1, audit: .test) { _ in }
        }
        await store.close()
    }

    @Test("Who becomes inactive loses all tokens until now, and gets none of them back", arguments: StoreKind.allCases)
    func deactivates(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await self.add(store)
        let off = try await store.changeClient("c1", now: 2000.5, audit: .test) { $0.isActive = false }
        #expect(off.tokensValidFrom == 2001)
        let revocations = try await store.unpublishedRevocations(now: 2000, limit: 9)
        #expect(revocations.map(\.member) == ["{\"client\":\"c1\",\"before\":2001}"])
        #expect(revocations.map(\.until) == [2001 + 3600 + 300])
        let on = try await store.changeClient("c1", now: 3000, audit: .test) { $0.isActive = true }
        #expect(on.tokensValidFrom == 2001)
        #expect(try await store.unpublishedRevocations(now: 2000, limit: 9).count == 1)
        await store.close()
    }

    @Test("A removed client is gone; whoever takes its name does not get its tokens", arguments: StoreKind.allCases)
    func removes(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await self.add(store)
        try await store.removeClient("c1", now: 2000, audit: .test)
        #expect(try await store.client("c1") == nil)
        #expect(try await store.secretDigests(of: "c1", now: 2000).isEmpty)
        #expect(
            try await store.unpublishedRevocations(now: 0, limit: 9).map(\.member) == [
                "{\"client\":\"c1\",\"before\":2001}"
            ])
        #expect(try await store.value("SELECT count(*) FROM client_scope") == .integer(0))
        await #expect(throws: StoreRefusal.missing) { try await store.removeClient("c1", now: 2000, audit: .test) }
        try await self.add(store, now: 2000)
        #expect(try await store.client("c1")?.tokensValidFrom == 2001)
        // Those of which no token can be good any more are forgotten.
        try await self.add(store, "c2", now: 2000)
        try await store.removeClient("c2", now: 2001 + 3900, audit: .test)
        #expect(try await store.value("SELECT client_id FROM removed_client") == .text("c2"))
        await store.close()
    }

    @Test("The old secrets hold on as long as they were told to, and never longer", arguments: StoreKind.allCases)
    func rotates(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await self.add(store)
        func digests(_ now: Double) async throws -> Set<[UInt8]> {
            Set(try await store.secretDigests(of: "c1", now: now))
        }
        func rotate(_ byte: UInt8, oldUntil: Double, now: Double) async throws {
            try await store.rotateSecret(of: "c1", to: self.digest(byte), oldUntil: oldUntil, now: now, audit: .test)
        }
        try await rotate(2, oldUntil: 2100, now: 2000)
        #expect(try await digests(2099.9) == [self.digest(1), self.digest(2)])
        #expect(try await digests(2100) == [self.digest(2)])
        // The first one ends as it was told, also when the second is given longer.
        try await rotate(3, oldUntil: 2500, now: 2050)
        #expect(try await digests(2099) == [self.digest(1), self.digest(2), self.digest(3)])
        #expect(try await digests(2499) == [self.digest(2), self.digest(3)])
        try await rotate(4, oldUntil: 2200, now: 2200)
        #expect(try await digests(2200) == [self.digest(4)])
        #expect(try await store.value("SELECT count(*) FROM client_secret") == .integer(1))
        #expect(try await store.client("c1")?.updatedAt == 2200)
        await #expect(throws: StoreRefusal.missing) {
            try await store.rotateSecret(of: "c2", to: self.digest(9), oldUntil: 0, now: 0, audit: .test)
        }
        await store.close()
    }

    @Test("An assertion is taken once, and forgotten when it is over", arguments: StoreKind.allCases)
    func assertions(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        #expect(try await store.useAssertion(self.digest(1), until: 1300.5, now: 1000))
        #expect(try await !store.useAssertion(self.digest(1), until: 1300.5, now: 1300.5))
        #expect(try await store.useAssertion(self.digest(2), until: 1400, now: 1300.9))
        #expect(try await store.value("SELECT count(*) FROM assertion") == .integer(2))
        #expect(try await store.useAssertion(self.digest(3), until: 1500, now: 1301))
        #expect(try await store.value("SELECT count(*) FROM assertion") == .integer(2))
        await store.close()
    }
}
