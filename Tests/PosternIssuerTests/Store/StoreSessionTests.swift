import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct StoreSessionTests {
    static func session(_ id: String = "s1", clientID: String? = nil) -> Session {
        Session(id: id, userID: "u1", clientID: clientID, createdAt: 1000, endedAt: nil)
    }

    /// A token of 1,000 seconds with an access token of 100.
    static func token(_ number: UInt8, issuedAt: Int = 1000) -> RefreshToken {
        RefreshToken(
            digest: [UInt8](repeating: number, count: 32), issuedAt: issuedAt, expiresAt: issuedAt + 1000,
            accessTokenID: "jti-\(number)", accessExpiresAt: issuedAt + 100, usedAt: nil)
    }

    private func store(_ kind: StoreKind, clientID: String? = nil) async throws -> SQLStore {
        let store = try await TestStore(kind).open()
        try await store.addUser(StoreUserTests.user(), now: 1000, audit: .test)
        try await store.addSession(Self.session(clientID: clientID), token: Self.token(1), audit: .test)
        return store
    }

    private func revoked(_ store: SQLStore) async throws -> [String] {
        try await store.unpublishedRevocations(now: 0, limit: 9).map(\.member)
    }

    @Test("A login is found by its refresh token", arguments: StoreKind.allCases)
    func adds(_ kind: StoreKind) async throws {
        let store = try await self.store(kind, clientID: "c1")
        let found = try await store.session(ofToken: Self.token(1).digest)
        #expect(found?.session == Self.session(clientID: "c1"))
        #expect(found?.token == Self.token(1))
        #expect(try await store.session(ofToken: Self.token(2).digest) == nil)
        await store.close()
    }

    @Test(
        "A token is good once; the second time the session ends with its access tokens", arguments: StoreKind.allCases)
    func reuse(_ kind: StoreKind) async throws {
        let store = try await self.store(kind)
        let second = Self.token(2, issuedAt: 1300)
        #expect(
            try await store.rotate(Self.token(1).digest, to: second, now: 1300, audit: .test)
                == .rotated(Self.session()))
        #expect(try await store.session(ofToken: Self.token(1).digest)?.token.usedAt == 1300)
        #expect(try await store.session(ofToken: second.digest)?.token == second)
        var ended = Self.session()
        ended.endedAt = 1350
        let third = Self.token(3, issuedAt: 1350)
        #expect(
            try await store.rotate(Self.token(1).digest, to: third, now: 1350.5, audit: .test) == .reused(ended))
        // Each is kept until no clock takes its access token any more.
        #expect(try await self.revoked(store) == ["{\"jti\":\"jti-1\"}", "{\"jti\":\"jti-2\"}"])
        #expect(try await store.unpublishedRevocations(now: 0, limit: 9).map(\.until) == [1400, 1700])
        #expect(try await store.isRevoked(tokenID: "jti-2"))
        #expect(try await store.rotate(second.digest, to: third, now: 1351, audit: .test) == .refused)
        #expect(try await store.rotate(Self.token(1).digest, to: third, now: 1351, audit: .test) == .refused)
        #expect(try await store.session(ofToken: third.digest) == nil)
        let entries = try await store.auditEntries(limit: 2)
        #expect(entries.map(\.isAllowed) == [false, true])
        #expect(entries.map(\.reason) == ["token_reused", nil])
        await store.close()
    }

    @Test(
        "A token is good until it expires", arguments: StoreKind.allCases,
        [(1999.9, true), (2000, false), (9e9, false)])
    func expires(_ kind: StoreKind, _ time: (now: Double, isGood: Bool)) async throws {
        let store = try await self.store(kind)
        let outcome = try await store.rotate(
            Self.token(1).digest, to: Self.token(2, issuedAt: 1999), now: time.now, audit: .test)
        #expect(outcome == (time.isGood ? .rotated(Self.session()) : .refused))
        #expect(try await store.rotate(Self.token(7).digest, to: Self.token(8), now: 1, audit: .test) == .refused)
        await store.close()
    }

    @Test("Of two who send the same token at the same moment one is served", arguments: StoreKind.allCases)
    func race(_ kind: StoreKind) async throws {
        let place = try await TestStore(kind)
        let stores = [try await place.open(), try await place.open()]
        try await stores[0].addUser(StoreUserTests.user(), now: 1000, audit: .test)
        try await stores[0].addSession(Self.session(), token: Self.token(1), audit: .test)
        let outcomes = try await withThrowingTaskGroup(of: RefreshOutcome.self) { group in
            for number in 0..<8 {
                group.addTask {
                    try await stores[number % 2].rotate(
                        Self.token(1).digest, to: Self.token(UInt8(10 + number)), now: 1001, audit: .test)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == .rotated(Self.session()) }.count == 1)
        #expect(outcomes.filter { if case .reused = $0 { true } else { false } }.count == 1)
        #expect(outcomes.filter { $0 == .refused }.count == 6)
        for store in stores { await store.close() }
    }

    @Test("A session ends once, with the access tokens that may still be good", arguments: StoreKind.allCases)
    func ends(_ kind: StoreKind) async throws {
        let store = try await self.store(kind)
        _ = try await store.rotate(Self.token(1).digest, to: Self.token(2, issuedAt: 1500), now: 1500, audit: .test)
        try await store.endSession("s1", now: 1501, audit: .test)
        #expect(try await self.revoked(store) == ["{\"jti\":\"jti-2\"}"])
        try await store.endSession("s1", now: 1600, audit: .test)
        try await store.endSession("s2", now: 1600, audit: .test)
        #expect(try await store.session(ofToken: Self.token(2).digest)?.session.endedAt == 1501)
        #expect(try await self.revoked(store).count == 1)
        await store.close()
    }

    @Test(
        "With its client a session ends", arguments: StoreKind.allCases, [true, false])
    func clients(_ kind: StoreKind, _ isRemoved: Bool) async throws {
        let store = try await self.store(kind, clientID: "c1")
        try await store.addSession(Self.session("s2"), token: Self.token(2), audit: .test)
        let registration = ClientRegistration(
            client: ServiceClient(clientID: "c1"), secretDigest: [UInt8](repeating: 1, count: 32))
        try await store.addClient(registration, now: 1000, audit: .test)
        if isRemoved {
            try await store.removeClient("c1", now: 1100, audit: .test)
        } else {
            _ = try await store.changeClient("c1", now: 1100, audit: .test) { $0.isActive = false }
        }
        #expect(try await store.session(ofToken: Self.token(1).digest)?.session.endedAt == 1100)
        #expect(try await store.session(ofToken: Self.token(2).digest)?.session.endedAt == nil)
        await store.close()
    }

    @Test("A login that all the user's tokens were revoked under is over from the start", arguments: StoreKind.allCases)
    func overtaken(_ kind: StoreKind) async throws {
        let store = try await self.store(kind)
        try await store.endAllSessions(ofUser: "u1", now: 1100, audit: .test)
        try await store.addSession(Self.session("s2"), token: Self.token(2, issuedAt: 1100), audit: .test)
        try await store.addSession(Self.session("s3"), token: Self.token(3, issuedAt: 1101), audit: .test)
        #expect(try await store.session(ofToken: Self.token(2).digest)?.session.endedAt == 1000)
        #expect(try await store.session(ofToken: Self.token(3).digest)?.session.endedAt == nil)
        await store.close()
    }

    @Test("What is good for nothing any more is forgotten", arguments: StoreKind.allCases)
    func forgets(_ kind: StoreKind) async throws {
        let store = try await self.store(kind)
        _ = try await store.rotate(Self.token(1).digest, to: Self.token(2, issuedAt: 1900), now: 1900, audit: .test)
        _ = try await store.rotate(Self.token(2).digest, to: Self.token(3, issuedAt: 2000), now: 2000, audit: .test)
        // The first is used and expired, the second only used.
        #expect(try await store.session(ofToken: Self.token(1).digest) == nil)
        #expect(try await store.session(ofToken: Self.token(2).digest)?.token.usedAt == 2000)
        var later = Self.session("s2")
        later.createdAt = 2999
        try await store.addSession(later, token: Self.token(4, issuedAt: 2999), audit: .test)
        #expect(try await store.session(ofToken: Self.token(3).digest) != nil)
        later.id = "s3"
        later.createdAt = 3000
        try await store.addSession(later, token: Self.token(5, issuedAt: 3000), audit: .test)
        #expect(try await store.session(ofToken: Self.token(3).digest) == nil)
        #expect(try await store.session(ofToken: Self.token(4).digest) != nil)
        await store.close()
    }
}
