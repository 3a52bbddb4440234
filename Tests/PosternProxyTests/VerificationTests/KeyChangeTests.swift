import NIOHTTP1
import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

/// What happens to keys when the issuer's set or the configuration changes.
@Suite(.timeLimit(.minutes(1))) struct KeyChangeTests {
    private let scene: KeyScene
    private let one: SigningKey
    private let two: SigningKey

    init() async throws {
        self.scene = try await KeyScene()
        self.one = try SigningKey.generate(.es256)
        self.two = try SigningKey.generate(.es256)
    }

    // MARK: - The issuer's set

    @Test(arguments: [
        ("a key came", ["a:1", "b:2"], false), ("another order", ["b:2", "a:1"], false), ("a key went", ["b:2"], true),
        ("a key under the same name is another", ["a:2"], true), ("the same key has another name", ["b:1"], true),
        ("nothing changed", ["a:1"], false),
    ])
    func lossOfAKeyIsSaid(row: (String, [String], Bool)) async throws {
        let first = self.set(row.0 == "another order" ? ["a:1", "b:2"] : ["a:1"])
        let snapshot = try await self.scene.start(with: first)
        async let waiting = self.scene.refetch(snapshot, keyID: "new")
        try await self.scene.server.next().answer(self.set(row.1))
        #expect(try await self.scene.publication().lostKeys == row.2, "\(row.0)")
        #expect(await waiting == 2)
        await self.scene.service.stop()
    }

    private func set(_ keys: [String]) -> JSONValue {
        Mint.keySet(keys.map { (String($0.prefix(1)), $0.hasSuffix("1") ? self.one : self.two) })
    }

    // MARK: - The configuration

    @Test func reloadWithTheSameIssuerHandsItsKeysOutAgainAndFetchesNothing() async throws {
        _ = try await self.scene.start(with: self.set(["a:1"]))
        await self.scene.service.adopt(try self.scene.snapshot())
        let publication = try await self.scene.publication()
        #expect(publication.keys.keys.map(\.keyID) == ["a"])
        #expect(!publication.lostKeys)
        #expect(self.scene.server.paths.count == 1)
        #expect(await self.scene.service.status().map(\.successes) == [1])
        await self.scene.service.stop()
    }

    @Test func reloadWithAnotherPlaceFetchesFromThere() async throws {
        let old = try await self.scene.start(with: self.set(["a:1"]))
        let new = try self.scene.snapshot(["/other"])
        await self.scene.service.adopt(new)
        let request = try await self.scene.server.next()
        #expect(request.head.uri == "/other")
        #expect(await self.scene.service.status().map(\.hasKeys) == [false])
        request.answer(self.set(["b:2"]))
        let publication = try await self.scene.publication()
        #expect(publication.identity == new.issuers[0].keysIdentity)
        #expect(publication.identity != old.issuers[0].keysIdentity)
        #expect(!publication.lostKeys)
        await self.scene.service.stop()
    }

    @Test func reloadWithAnotherIssuerMoreLeavesTheFirstAlone() async throws {
        _ = try await self.scene.start(with: self.set(["a:1"]))
        await self.scene.service.adopt(try self.scene.snapshot(["/jwks", "/more"]))
        #expect(try await self.scene.publication().identity.name == "issuer0")
        let request = try await self.scene.server.next()
        #expect(request.head.uri == "/more")
        #expect(await self.scene.service.status().map(\.hasKeys) == [true, false])
        await self.scene.service.stop()
    }

    /// Removing an issuer is no failure of it: nothing is logged or counted, and who waits for its keys goes on.
    @Test(arguments: [true, false])
    func issuerThatIsRemovedDuringAFetchIsForgotten(stop: Bool) async throws {
        let snapshot = try self.scene.snapshot()
        await self.scene.service.adopt(snapshot)
        _ = try await self.scene.server.next()
        async let waiting = self.scene.refetch(snapshot, keyID: nil)
        if stop { await self.scene.service.stop() } else { await self.scene.service.adopt(try self.scene.snapshot([])) }
        #expect(await waiting == 0)
        #expect(await self.scene.service.status().isEmpty)
        await self.scene.sink.flush(seconds: 10)
        #expect(self.scene.log.isEmpty)
        #expect(self.scene.publicationCount == 0)
    }

    /// The answer to a fetch of before must not be taken for that of the fetch of now.
    @Test func issuerThatIsRemovedAndAddedAgainIsFetchedAnew() async throws {
        let snapshot = try self.scene.snapshot()
        await self.scene.service.adopt(snapshot)
        let first = try await self.scene.server.next()
        await self.scene.service.stop()
        await self.scene.service.adopt(snapshot)
        let second = try await self.scene.server.next()
        first.answer(self.set(["a:1"]))
        second.answer(self.set(["b:2"]))
        #expect(try await self.scene.publication().keys.keys.map(\.keyID) == ["b"])
        #expect(await self.scene.service.status().map(\.successes) == [1])
        #expect(self.scene.publicationCount == 1)
        await self.scene.service.stop()
    }
}
