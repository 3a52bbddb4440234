import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct StoreUserTests {
    static func user(_ id: String = "u1", _ username: String = "ada", _ email: String = "ada@b.example") -> User {
        User(
            id: id, username: username, email: email, isEmailVerified: true, isActive: true, isAdmin: false,
            roles: ["trader \"one\"", "ünïcode"], permissions: ["trade:read"], expiresOn: 9_000, passwordHash: "hash",
            createdAt: 1000, updatedAt: 1000, deletedAt: nil, tokensValidFrom: 0)
    }

    private func store(_ kind: StoreKind, _ users: User...) async throws -> SQLStore {
        let store = try await TestStore(kind).open()
        for user in users { try await store.addUser(user, now: 1000, audit: .test) }
        return store
    }

    @Test("A user is kept with everything, and found by id and name", arguments: StoreKind.allCases)
    func adds(_ kind: StoreKind) async throws {
        let store = try await self.store(kind, Self.user())
        #expect(try await store.user(id: "u1") == Self.user())
        #expect(try await store.user(named: "ada") == Self.user())
        #expect(try await store.user(id: "u2") == nil)
        #expect(try await store.user(named: "ada\0") == nil)
        #expect(try await store.user(named: "ad%") == nil)
        await store.close()
    }

    @Test(
        "Names and addresses are one user's; no address is everybody's",
        arguments: StoreKind.allCases,
        [
            ("ada", "x@b.example", true), ("bob", "ADA@b.example", true), ("bob", "", false),
            ("bob", "bob@b.example", false),
        ])
    func doubles(_ kind: StoreKind, _ other: (name: String, email: String, isDouble: Bool)) async throws {
        let store = try await self.store(kind, Self.user(), Self.user("u0", "eve", ""))
        let user = Self.user("u2", other.name, other.email)
        if other.isDouble {
            await #expect(throws: StoreRefusal.exists) { try await store.addUser(user, now: 1, audit: .test) }
        } else {
            try await store.addUser(user, now: 1, audit: .test)
        }
        let changed = try? await store.changeUser("u0", now: 1, audit: .test) { $0.email = "Ada@B.example" }
        #expect(changed == nil)
        await store.close()
    }

    @Test("A change is kept; roles do not touch tokens", arguments: StoreKind.allCases)
    func changes(_ kind: StoreKind) async throws {
        let store = try await self.store(kind, Self.user())
        let changed = try await store.changeUser("u1", now: 2000, audit: .test) { user in
            user.id = "u9"
            user.createdAt = 3
            user.tokensValidFrom = 3
            user.deletedAt = 3
            user.roles = []
            user.expiresOn = nil
            user.isAdmin = true
        }
        var expected = Self.user()
        expected.roles = []
        expected.expiresOn = nil
        expected.isAdmin = true
        expected.updatedAt = 2000
        #expect(changed == expected)
        #expect(try await store.user(id: "u1") == expected)
        #expect(try await store.unpublishedRevocations(now: 0, limit: 9).isEmpty)
        await #expect(throws: StoreRefusal.missing) {
            _ = try await store.changeUser("u9", now: 1, audit: .test) { _ in }
        }
        await store.close()
    }

    @Test(
        "Who becomes inactive or gets another password loses sessions and tokens", arguments: StoreKind.allCases,
        ["inactive", "password", "logout"])
    func cuts(_ kind: StoreKind, _ cause: String) async throws {
        let store = try await self.store(kind, Self.user())
        let token = StoreSessionTests.token(1)
        try await store.addSession(StoreSessionTests.session(), token: token, audit: .test)
        switch cause {
        case "inactive": _ = try await store.changeUser("u1", now: 1500.2, audit: .test) { $0.isActive = false }
        case "password": _ = try await store.changeUser("u1", now: 1500.2, audit: .test) { $0.passwordHash = "new" }
        default: try await store.endAllSessions(ofUser: "u1", now: 1500.2, audit: .test)
        }
        #expect(try await store.user(id: "u1")?.tokensValidFrom == 1501)
        #expect(try await store.session(ofToken: token.digest)?.session.endedAt == 1500)
        #expect(
            try await store.unpublishedRevocations(now: 0, limit: 9).map(\.member) == [
                "{\"sub\":\"u1\",\"before\":1501}"
            ])
        #expect(
            try await store.rotate(token.digest, to: StoreSessionTests.token(2), now: 1501, audit: .test) == .refused)
        await store.close()
    }

    @Test("A deleted user's name is free, his id never; he is found by id only", arguments: StoreKind.allCases)
    func removes(_ kind: StoreKind) async throws {
        let store = try await self.store(kind, Self.user())
        try await store.removeUser("u1", now: 2000, audit: .test)
        #expect(try await store.user(named: "ada") == nil)
        #expect(try await store.user(id: "u1")?.deletedAt == 2000)
        #expect(try await store.user(id: "u1")?.tokensValidFrom == 2001)
        #expect(try await store.users(after: nil, limit: 9).items.isEmpty)
        await #expect(throws: StoreRefusal.missing) { try await store.removeUser("u1", now: 1, audit: .test) }
        await #expect(throws: StoreRefusal.missing) {
            try await store.endAllSessions(ofUser: "u1", now: 1, audit: .test)
        }
        await #expect(throws: StoreError.self) { try await store.addUser(Self.user(), now: 1, audit: .test) }
        try await store.addUser(Self.user("u2"), now: 1, audit: .test)
        #expect(try await store.user(named: "ada")?.id == "u2")
        await store.close()
    }

    @Test("Lists go by id, page by page, without the deleted ones", arguments: StoreKind.allCases)
    func pages(_ kind: StoreKind) async throws {
        let store = try await self.store(
            kind, Self.user("3", "c", ""), Self.user("1", "a", ""), Self.user("2", "b", ""), Self.user("4", "d", ""))
        try await store.removeUser("3", now: 1, audit: .test)
        let first = try await store.users(after: nil, limit: 2)
        #expect(first.items.map(\.id) == ["1", "2"])
        #expect(first.next == "2")
        let second = try await store.users(after: first.next, limit: 2)
        #expect(second.items.map(\.id) == ["4"])
        #expect(second.next == nil)
        await store.close()
    }

    @Test(
        "Another hash of the same password takes the place of the one that was checked", arguments: StoreKind.allCases)
    func rehashes(_ kind: StoreKind) async throws {
        let store = try await self.store(kind, Self.user())
        let entry = AuditEntry(time: 1000, action: .userChanged, isAllowed: true, target: "user:u1")
        for (old, new) in [("other", "newer"), ("hash", "new"), ("hash", "newest")] {
            try await store.rehashPassword(of: "u1", from: old, to: new, audit: entry)
        }
        try await store.rehashPassword(of: "u2", from: "hash", to: "new", audit: entry)
        var expected = Self.user()
        expected.passwordHash = "new"
        #expect(try await store.user(id: "u1") == expected)
        #expect(try await store.auditEntries(limit: 9).filter { $0 == entry }.count == 1)
        #expect(try await store.unpublishedRevocations(now: 0, limit: 9).isEmpty)
        try await store.removeUser("u1", now: 1000, audit: .test)
        try await store.rehashPassword(of: "u1", from: "new", to: "hash", audit: entry)
        #expect(try await store.user(id: "u1")?.passwordHash == "new")
        await store.close()
    }
}
