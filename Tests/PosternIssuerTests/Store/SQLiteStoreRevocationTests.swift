import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct SQLiteStoreRevocationTests {
    private func add(_ store: SQLiteStore, _ names: [String], until: Int = 2000, now: Double = 1000) async throws {
        for name in names { try await store.addRevocation(Revocation(.tokenID(name)), until: until, now: now, audit: .test) }
    }

    private static func member(_ name: String) -> String { "{\"jti\":\"\(name)\"}" }

    @Test("Revocations are kept in their order, each once, and are there after opening again")
    func keeps() async throws {
        let folder = try TemporaryFolder()
        try await self.add(try SQLiteStore(path: folder.file("s.sqlite")), ["b", "a", "b", "c"])
        let store = try SQLiteStore(path: folder.file("s.sqlite"))
        let all = try await store.unpublishedRevocations(now: 1000, limit: 10)
        #expect(all.map(\.member) == ["b", "a", "c"].map(Self.member))
        #expect(all.map(\.until) == [2000, 2000, 2000])
        #expect(all.map(\.id) == all.map(\.id).sorted())
        try await store.markRevocationsPublished(through: all[2].id)
        #expect(try await store.publishedRevocations(after: 0, now: 1000, limit: 10) == all)
        #expect(try await store.publishedRevocations(after: all[0].id, now: 1000, limit: 1) == [all[1]])
    }

    @Test("What is marked waits no more, and what came after it does")
    func marks() async throws {
        let store = try SQLiteStore(path: try TemporaryFolder().file("s.sqlite"))
        try await self.add(store, ["a", "b", "c"])
        let waiting = try await store.unpublishedRevocations(now: 1000, limit: 2)
        #expect(waiting.map(\.member) == ["a", "b"].map(Self.member))
        try await store.markRevocationsPublished(through: waiting[1].id)
        #expect(try await store.unpublishedRevocations(now: 1000, limit: 9).map(\.member) == [Self.member("c")])
        // Once more the same: it is published already.
        try await self.add(store, ["a"])
        #expect(try await store.unpublishedRevocations(now: 1000, limit: 9).map(\.member) == [Self.member("c")])
        #expect(try await store.publishedRevocations(after: 0, now: 1000, limit: 9) == waiting)
    }

    @Test("What is over is not given, and forgotten with the next one; its number is not used again")
    func forgets() async throws {
        let store = try SQLiteStore(path: try TemporaryFolder().file("s.sqlite"))
        try await self.add(store, ["a", "b"], until: 1500)
        let both = try await store.unpublishedRevocations(now: 1499, limit: 9)
        #expect(both.count == 2)
        try await store.markRevocationsPublished(through: both[0].id)
        #expect(try await store.publishedRevocations(after: 0, now: 1499, limit: 9) == [both[0]])
        #expect(try await store.publishedRevocations(after: 0, now: 1500, limit: 9).isEmpty)
        #expect(try await store.unpublishedRevocations(now: 1500, limit: 9).isEmpty)
        try await self.add(store, ["c"], now: 1500)
        #expect(try await store.publishedRevocations(after: 0, now: 0, limit: 9).isEmpty)
        let rest = try await store.unpublishedRevocations(now: 0, limit: 9)
        #expect(rest.map(\.member) == [Self.member("c")])
        #expect(rest[0].id > both[1].id)
    }
}
