import NIOCore
import NIOHTTP1
import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct KeyServiceTests {
    private let scene: KeyScene
    private let one: SigningKey
    private let two: SigningKey

    init() async throws {
        self.scene = try await KeyScene()
        self.one = try SigningKey.generate(.es256)
        self.two = try SigningKey.generate(.eddsa)
    }

    private func set(_ kids: String...) -> JSONValue {
        Mint.keySet(kids.map { ($0, $0 == "one" ? self.one : self.two) })
    }

    // MARK: - The first fetch

    @Test func keysAreFetchedAndHandedOut() async throws {
        let snapshot = try self.scene.snapshot()
        await self.scene.service.adopt(snapshot)
        let request = try await self.scene.server.next()
        #expect(request.head.method == .GET)
        #expect(request.head.uri == "/jwks")
        #expect(request.head.headers["X-Api-Key"] == ["sesame"])
        let before = await self.scene.service.status()
        #expect(before.map(\.issuer) == ["issuer0"])
        #expect(before.map(\.hasKeys) == [false])
        #expect(before.map(\.age) == [nil])
        request.answer(self.set("one", "two"))
        let publication = try await self.scene.publication()
        #expect(publication.identity == snapshot.issuers[0].keysIdentity)
        #expect(publication.keys.keys.map(\.keyID) == ["one", "two"])
        #expect(!publication.lostKeys)
        let after = await self.scene.service.status()
        #expect(after.map(\.hasKeys) == [true])
        #expect(after.map(\.successes) == [1])
        #expect(after.map(\.failures) == [0])
        #expect(after.allSatisfy { ($0.age ?? -1) >= 0 })
        await self.scene.service.stop()
    }

    @Test func issuersAreFetchedEachFromItsOwnPlace() async throws {
        await self.scene.service.adopt(try self.scene.snapshot(["/a", "/b"]))
        for _ in 0..<2 {
            let request = try await self.scene.server.next()
            request.answer(self.set(request.head.uri == "/a" ? "one" : "two"))
        }
        let publications = try await [self.scene.publication(), self.scene.publication()]
        let keys = Dictionary(uniqueKeysWithValues: publications.map { ($0.identity.name, $0.keys.keys.map(\.keyID)) })
        #expect(keys == ["issuer0": ["one"], "issuer1": ["two"]])
        #expect(await self.scene.service.status().map(\.issuer) == ["issuer0", "issuer1"])
        await self.scene.service.stop()
    }

    @Test func keyThatCannotBeUsedIsLeftOutAndLogged() async throws {
        let broken = #"{"keys":[\#(self.one.publicJWK(kid: "one").serialized()),{"kty":"oct","k":"AAAA"}]}"#
        await self.scene.service.adopt(try self.scene.snapshot())
        try await self.scene.server.next().answer(broken)
        #expect(try await self.scene.publication().keys.keys.map(\.keyID) == ["one"])
        let messages = try self.scene.messages(2).map { $0["message"]?.string }
        #expect(messages == ["keys fetched", "a key was left out"])
        await self.scene.service.stop()
    }

    @Test func requestsThatNeedTheFirstKeysWaitForThem() async throws {
        let snapshot = try self.scene.snapshot()
        await self.scene.service.adopt(snapshot)
        let request = try await self.scene.server.next()
        async let waiting = self.refetch(snapshot, keyID: nil, times: 50)
        request.answer(self.set("one"))
        #expect(await waiting == Array(repeating: 1, count: 50))
        #expect(self.scene.server.paths.count == 1)
        await self.scene.service.stop()
    }

    @Test func redirectIsAFailureThatIsNotFollowed() async throws {
        let snapshot = try self.scene.snapshot()
        await self.scene.service.adopt(snapshot)
        let request = try await self.scene.server.next()
        async let waiting = self.scene.refetch(snapshot, keyID: nil)
        request.answer("", status: .found, headers: ["Location": "\(self.scene.server.url)/elsewhere"])
        #expect(await waiting == 0)
        let line = try #require(try self.scene.messages(1).first)
        #expect(line["reason"] == .string("\(self.scene.server.url)/jwks answered 302"))
        #expect(line["old_keys_kept"] == .string("false"))
        #expect(!self.scene.server.paths.contains("/elsewhere"))
        #expect(await self.scene.service.status().map(\.hasKeys) == [false])
        await self.scene.service.stop()
    }

    @Test func fetchThatIsNotAnsweredInTimeFails() async throws {
        let snapshot = try self.scene.snapshot(timeout: "100ms")
        await self.scene.service.adopt(snapshot)
        _ = try await self.scene.server.next()
        #expect(await self.scene.refetch(snapshot, keyID: nil) == 0)
        let status = await self.scene.service.status()
        #expect(status.allSatisfy { $0.failures >= 1 && !$0.hasKeys && $0.successes == 0 })
        let line = try #require(try self.scene.messages(1).first)
        #expect(line["message"] == .string("keys could not be fetched"))
        await self.scene.service.stop()
    }

    // MARK: - An unknown kid

    @Test func unknownKeyIsFetchedOnceForAllThatWait() async throws {
        let snapshot = try await self.scene.start(with: self.set("one"))
        async let waiting = self.refetch(snapshot, keyID: "two", times: 100)
        let request = try await self.scene.server.next()
        request.answer(self.set("one", "two"))
        #expect(await waiting == Array(repeating: 2, count: 100), "each goes on after the new keys were handed out")
        #expect(try await self.scene.publication().keys.keys.map(\.keyID) == ["one", "two"])
        #expect(self.scene.server.paths == ["/jwks", "/jwks"])
        await self.scene.service.stop()
    }

    @Test func knownKeyIsNotFetched() async throws {
        let snapshot = try await self.scene.start(with: self.set("one"))
        #expect(await self.scene.refetch(snapshot, keyID: "one") == 1)
        #expect(await self.scene.refetch(snapshot, keyID: nil) == 1)
        #expect(self.scene.server.paths.count == 1)
        await self.scene.service.stop()
    }

    @Test func secondUnknownKeySoonAfterIsNotFetched() async throws {
        let snapshot = try await self.scene.start(with: self.set("one"))
        async let first = self.scene.refetch(snapshot, keyID: "two")
        try await self.scene.server.next().answer(self.set("one"))
        #expect(await first == 2)
        #expect(await self.scene.refetch(snapshot, keyID: "three") == 2)
        #expect(self.scene.server.paths.count == 2)
        await self.scene.service.stop()
    }

    @Test(arguments: [
        ("an error", 500, "{}"), ("no key set", 200, "<html>"), ("no key", 200, #"{"keys":[]}"#),
    ])
    func failedRefetchKeepsTheOldKeys(row: (String, Int, String)) async throws {
        let snapshot = try await self.scene.start(with: self.set("one"))
        async let waiting = self.scene.refetch(snapshot, keyID: "two")
        try await self.scene.server.next().answer(row.2, status: .init(statusCode: row.1))
        #expect(await waiting == 1, "\(row.0): nothing else was handed out")
        let known = await self.scene.service.status()
        #expect(known.map(\.hasKeys) == [true])
        #expect(known.map(\.successes) == [1])
        #expect(known.map(\.failures) == [1])
        let line = try #require(try self.scene.messages(2).last)
        #expect(line["message"] == .string("keys could not be fetched"))
        #expect(line["issuer"] == .string("issuer0"))
        #expect(line["old_keys_kept"] == .string("true"))
        await self.scene.service.stop()
    }

    @Test func issuerThatIsNotKeptHereIsNotWaitedFor() async throws {
        let snapshot = try self.scene.snapshot()
        #expect(await self.scene.refetch(snapshot, keyID: nil) == 0)
        #expect(await self.scene.refetch(snapshot, keyID: "one") == 0)
    }

    private func refetch(_ snapshot: Snapshot, keyID: String?, times: Int) async -> [Int] {
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<times { group.addTask { await self.scene.refetch(snapshot, keyID: keyID) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }
}
