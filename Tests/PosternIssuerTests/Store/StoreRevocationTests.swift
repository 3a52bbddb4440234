import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct StoreRevocationTests {
    private func add(_ store: SQLStore, _ names: [String], until: Int = 2000, now: Double = 1000) async throws {
        for name in names {
            try await store.addRevocation(Revocation(.tokenID(name)), until: until, now: now, audit: .test)
        }
    }

    private static func member(_ name: String) -> String { "{\"jti\":\"\(name)\"}" }

    @Test(
        "Revocations are kept in their order, each once, and are there after opening again",
        arguments: StoreKind.allCases)
    func keeps(_ kind: StoreKind) async throws {
        let place = try await TestStore(kind)
        let first = try await place.open()
        try await self.add(first, ["b", "a", "b", "c"])
        await first.close()
        let store = try await place.open()
        let all = try await store.unpublishedRevocations(now: 1000, limit: 10)
        #expect(all.map(\.member) == ["b", "a", "c"].map(Self.member))
        #expect(all.map(\.until) == [2000, 2000, 2000])
        #expect(all.map(\.id) == all.map(\.id).sorted())
        try await store.markRevocationsPublished(through: all[2].id)
        #expect(try await store.publishedRevocations(after: 0, now: 1000, limit: 10) == all)
        #expect(try await store.publishedRevocations(after: all[0].id, now: 1000, limit: 1) == [all[1]])
        await store.close()
    }

    @Test("A token is revoked by its own name only, whatever stands in it", arguments: StoreKind.allCases)
    func isRevoked(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await self.add(store, ["a", "q\"\\\0'"])
        #expect(try await store.isRevoked(tokenID: "a"))
        #expect(try await store.isRevoked(tokenID: "q\"\\\0'"))
        for name in ["A", "", "a\0", "%", "a\" OR 1", "q\"\\"] {
            #expect(try await !store.isRevoked(tokenID: name), "\(name)")
        }
        await store.close()
    }

    @Test("What is marked waits no more, and what came after it does", arguments: StoreKind.allCases)
    func marks(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await self.add(store, ["a", "b", "c"])
        let waiting = try await store.unpublishedRevocations(now: 1000, limit: 2)
        #expect(waiting.map(\.member) == ["a", "b"].map(Self.member))
        try await store.markRevocationsPublished(through: waiting[1].id)
        #expect(try await store.unpublishedRevocations(now: 1000, limit: 9).map(\.member) == [Self.member("c")])
        // Once more the same: it is published already.
        try await self.add(store, ["a"])
        #expect(try await store.unpublishedRevocations(now: 1000, limit: 9).map(\.member) == [Self.member("c")])
        #expect(try await store.publishedRevocations(after: 0, now: 1000, limit: 9) == waiting)
        await store.close()
    }

    @Test(
        "What is over is not given, and forgotten with the next one; its number is not used again",
        arguments: StoreKind.allCases)
    func forgets(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
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
        await store.close()
    }

    @Test("Whoever reads while others write misses none: numbers grow as they appear", arguments: StoreKind.allCases)
    func order(_ kind: StoreKind) async throws {
        let place = try await TestStore(kind)
        let stores = [try await place.open(), try await place.open()]
        let reader = try await place.open()
        let seen = try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask { try await self.add(stores[number % 2], ["t\(number)"]) }
            }
            // Reads and marks as the publisher does, beside the writers.
            var seen: [String] = []
            while seen.count < 40 {
                let found = try await reader.unpublishedRevocations(now: 1000, limit: 100)
                seen += found.map(\.member)
                if let last = found.last { try await reader.markRevocationsPublished(through: last.id) }
            }
            try await group.waitForAll()
            return seen
        }
        #expect(Set(seen) == Set((0..<40).map { Self.member("t\($0)") }))
        #expect(try await reader.unpublishedRevocations(now: 1000, limit: 100).isEmpty)
        for store in stores + [reader] { await store.close() }
    }
}
