import Testing

@testable import PosternIssuer

@Suite struct StoreKeyTests {
    private func serviceKey(_ id: String, _ name: String, _ byte: UInt8) -> ServiceKey {
        ServiceKey(
            id: id, name: name, description: "d", prefix: "hsk_12345678",
            digest: [UInt8](repeating: byte, count: 32), createdAt: 1000, revokedAt: nil)
    }

    @Test(
        "A service key is found by its digest until it is revoked; its name is free then", arguments: StoreKind.allCases
    )
    func serviceKeys(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        let first = self.serviceKey("i2", "postern", 1)
        try await store.addServiceKey(first, audit: .test)
        await #expect(throws: StoreRefusal.exists) {
            try await store.addServiceKey(self.serviceKey("i9", "postern", 9), audit: .test)
        }
        #expect(try await store.serviceKey(digest: first.digest) == first)
        await #expect(throws: StoreRefusal.missing) {
            try await store.revokeServiceKey(named: "other", now: 2000, audit: .test)
        }
        try await store.revokeServiceKey(named: "postern", now: 2000, audit: .test)
        #expect(try await store.serviceKey(digest: first.digest) == nil)
        await #expect(throws: StoreRefusal.missing) {
            try await store.revokeServiceKey(named: "postern", now: 2000, audit: .test)
        }
        let second = self.serviceKey("i1", "postern", 2)
        try await store.addServiceKey(second, audit: .test)
        var revoked = first
        revoked.revokedAt = 2000
        #expect(try await store.serviceKeys() == [revoked, second])
        #expect(try await store.auditEntries(limit: 9).count == 3)
        await store.close()
    }

    private func signingKey(_ kid: String, _ algorithm: String = "ES256", from: Int = 1000) -> StoredSigningKey {
        StoredSigningKey(
            kid: kid, algorithm: algorithm, sealed: [0, 255, 39, 92, 0], createdAt: 1000, signsFrom: from)
    }

    @Test("The first key of an algorithm is added once, the next one while none waits", arguments: StoreKind.allCases)
    func signingKeys(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        let first = self.signingKey("k1")
        #expect(try await store.addSigningKeyIfFirst(first) == [first])
        #expect(try await store.addSigningKeyIfFirst(self.signingKey("k2")) == [first])
        let other = self.signingKey("k3", "RS256")
        #expect(try await store.addSigningKeyIfFirst(other) == [other, first])
        let next = self.signingKey("k4", from: 2000)
        let added = try await store.addNextSigningKey(next, now: 1500, audit: .test)
        #expect(added.added && added.keys == [next, other, first])
        let again = try await store.addNextSigningKey(self.signingKey("k5", from: 3000), now: 1999.9, audit: .test)
        #expect(!again.added && again.keys == added.keys)
        #expect(try await store.addNextSigningKey(self.signingKey("k6", from: 3000), now: 2000, audit: .test).added)
        #expect(try await store.auditEntries(limit: 9).count == 2)
        try await store.removeSigningKeys(["k1", "k3", "nobody"])
        #expect(try await store.signingKeys().map(\.kid) == ["k6", "k4"])
        await store.close()
    }

    @Test("The longest lifetime is never forgotten", arguments: StoreKind.allCases)
    func longest(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        #expect(try await store.longestAccessTokenLifetime(floor: 900) == 900)
        let client = ServiceClient(clientID: "c", accessTokenLifetime: 7200)
        let registration = ClientRegistration(client: client, secretDigest: [UInt8](repeating: 1, count: 32))
        try await store.addClient(registration, now: 0, audit: .test)
        _ = try await store.changeClient("c", now: 0, audit: .test) { $0.accessTokenLifetime = 8000 }
        _ = try await store.changeClient("c", now: 0, audit: .test) { $0.accessTokenLifetime = 60 }
        try await store.removeClient("c", now: 1000, audit: .test)
        #expect(try await store.longestAccessTokenLifetime(floor: 900) == 8000)
        #expect(try await store.longestAccessTokenLifetime(floor: 9000) == 9000)
        #expect(try await store.unpublishedRevocations(now: 0, limit: 1).map(\.until) == [1001 + 8000 + 300])
        await store.close()
    }
}
