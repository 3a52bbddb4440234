import NIOCore
import PosternCore
import PosternCrypto
import PosternRedis
import Testing

@testable import PosternProxy

/// The shared cache of one event loop, over TCP.
@Suite(.timeLimit(.minutes(1))) struct RedisTierTests {
    private let scene: RedisScene
    /// Two issuers that may be asked, and one of the same name and place that is asked in another way.
    private let one: TrustedIssuer
    private let two: TrustedIssuer

    init() async throws {
        self.scene = try await RedisScene()
        let snapshot = try Snapshots.make(Self.issuers(["one", "two"]))
        (self.one, self.two) = (snapshot.issuers[0], snapshot.issuers[1])
    }

    private static func issuers(_ names: [String], port: Int = 1, dialect: String = "rfc7662") -> String {
        let issuers = names.map { name in
            """
              \(name): {introspection: {url: "http://127.0.0.1:\(port)", dialect: \(dialect), credentials: {bearer: k}}}

            """
        }
        return "version: 1\nupstream: http://127.0.0.1:8001\nroutes: {GET /: public}\nissuers:\n" + issuers.joined()
    }

    private var both: EntryBindings { EntryBindings([self.one, self.two]) }

    private static let claims = JSONValue.object([
        .init(name: "active", value: .bool(true)), .init(name: "sub", value: .string("user-of-the-entry")),
    ])
    private static let active = CacheEntry.active(claims: Self.claims, fetchedAt: 1_800_000_000)
    private static let negative = CacheEntry.negative(fetchedAt: 1_800_000_000)

    // MARK: - Entries

    @Test func nothingStoredIsAMiss() async throws {
        #expect(try await self.scene.read("token-1", self.both).isNone)
        #expect(try await self.scene.counts.misses == 1)
        let command = try await self.scene.server.next("GET")
        let key = Array("postern:".utf8) + RedisScene.digest("token-1").hexadecimal
        #expect(command.words == [Array("GET".utf8), key])
    }

    @Test(arguments: [0, 1])
    func entryIsReadAsThatOfItsIssuer(issuer: Int) async throws {
        try await self.scene.store(Self.active, "token-1", self.both.issuers[issuer], milliseconds: 1234)
        let found = try await self.scene.read("token-1", self.both)
        #expect(found.entry == Self.active)
        #expect(found.issuer == issuer)
        #expect(self.scene.rejections.isEmpty)
    }

    @Test func entryIsForgottenByRedisInTime() async throws {
        try await self.scene.on {
            $0.store(Self.active, RedisScene.digest("token-1"), binding: [], milliseconds: 1234)
        }
        let words = try await self.scene.server.next("SET").text
        #expect(words.count == 5)
        #expect(words.suffix(2) == ["PX", "1234"])
    }

    @Test func negativeEntryIsReadBack() async throws {
        try await self.scene.store(Self.negative, "token-1", self.both.negative)
        let found = try await self.scene.read("token-1", self.both)
        #expect(found.entry == Self.negative)
        #expect(found.issuer == nil)
    }

    @Test func whatIsStoredSaysNothing() async throws {
        try await self.scene.store(Self.active, "token-1", self.both.issuers[0])
        let octets = self.scene.server.octets
        for secret in ["token-1", "user-of-the-entry", "active", RedisScene.seal] {
            #expect(octets.firstRange(of: Array(secret.utf8)) == nil, "\(secret)")
        }
    }

    // MARK: - Entries that do not count

    private func expectIgnored(_ token: String, _ bindings: EntryBindings) async throws {
        let before = self.scene.rejections.count
        #expect(try await self.scene.read(token, bindings).isNone)
        #expect(self.scene.rejections.dropFirst(before) == [.doesNotOpen])
        #expect(try await self.scene.counts.rejected == UInt64(before + 1))
    }

    @Test func entryOfAnIssuerThatIsNotAskedIsIgnored() async throws {
        try await self.scene.store(Self.active, "token-1", self.both.issuers[1])
        try await self.expectIgnored("token-1", EntryBindings([self.one]))
    }

    @Test(arguments: [(2, "rfc7662"), (1, "hecate")])
    func entryOfAnIssuerOfTheSameNameElsewhereIsIgnored(row: (Int, String)) async throws {
        let changed = try Snapshots.make(Self.issuers(["one", "two"], port: row.0, dialect: row.1)).issuers
        try await self.scene.store(Self.active, "token-1", EntryBindings(changed).issuers[0])
        try await self.expectIgnored("token-1", self.both)
    }

    /// Who asks more issuers, or in another order, has not had their answer.
    @Test func negativeEntryOfOtherIssuersIsIgnored() async throws {
        for issuers in [[self.one], [self.two], [self.two, self.one], [self.one, self.two, self.one], []] {
            try await self.scene.store(Self.negative, "token-1", EntryBindings(issuers).negative)
            try await self.expectIgnored("token-1", self.both)
        }
    }

    @Test func kindAndBindingHaveToAgree() async throws {
        try await self.scene.store(Self.active, "token-1", self.both.negative)
        try await self.expectIgnored("token-1", self.both)
        try await self.scene.store(Self.negative, "token-1", self.both.issuers[0])
        try await self.expectIgnored("token-1", self.both)
    }

    @Test func entryOfAnotherTokenIsIgnored() async throws {
        let setup = try RedisScene.setup("")
        try await self.scene.store(Self.active, "token-1", self.both.issuers[0])
        self.scene.server[setup.key(of: RedisScene.digest("token-2"))] =
            self.scene.server[setup.key(of: RedisScene.digest("token-1"))]
        try await self.expectIgnored("token-2", self.both)
    }

    @Test func changedEntryIsIgnoredWhereverItWasChanged() async throws {
        let key = try RedisScene.setup("").key(of: RedisScene.digest("token-1"))
        try await self.scene.store(Self.active, "token-1", self.both.issuers[0])
        let sealed = try #require(self.scene.server[key])
        for index in [0, 1, 4, 5, 16, 17, sealed.count / 2, sealed.count - 16, sealed.count - 1] {
            var changed = sealed
            changed[index] ^= 1
            self.scene.server[key] = changed
            try await self.expectIgnored("token-1", self.both)
        }
        for wrong in [[], Array(sealed.dropLast()), sealed + [0], Array("{}".utf8)] {
            self.scene.server[key] = wrong
            try await self.expectIgnored("token-1", self.both)
        }
        self.scene.server[key] = sealed
        #expect(try await self.scene.read("token-1", self.both).entry == Self.active)
    }

    @Test func entryOfAForeignSealIsIgnored() async throws {
        let foreign = try RedisScene.setup(seals: ["fedcba9876543210fedcba9876543210"], "")
        let digest = RedisScene.digest("token-1")
        let octets = try #require(Self.active.serialized)
        self.scene.server[foreign.key(of: digest)] = try foreign.seal.seal(
            octets, digest: digest, binding: self.both.issuers[0])
        try await self.expectIgnored("token-1", self.both)
    }

    @Test func bindingsAreKeptApartWhateverNamesAre() throws {
        let texts = [["a1", "b"], ["a", "1b"], ["a", "b"], ["ab"], ["b", "a"]].map { Self.issuers($0) }
        let bindings = try texts.map { EntryBindings(try Snapshots.make($0).issuers) }
        #expect(Set(bindings.map(\.negative)).count == texts.count)
        for binding in bindings {
            #expect(Set(binding.issuers + [binding.negative]).count == binding.issuers.count + 1)
        }
    }

    // MARK: - Redis that does not answer well

    @Test(arguments: [
        RESP.error("WRONGTYPE Operation against a key"), .error("MOVED 1 127.0.0.1:1"), .integer(1), .status("OK"),
        .array([]),
    ])
    func strangeAnswerIsNone(reply: RESP) async throws {
        for name in ["GET", "SET"] { self.scene.server.set(.reply(reply), for: name) }
        #expect(try await self.scene.read("token-1", self.both).isUnavailable)
        #expect(try await self.scene.counts.errors == 1)
    }

    @Test func silenceIsNoAnswerAndTheNextIsNotWaitedFor() async throws {
        let scene = try await RedisScene(timeout: .milliseconds(50))
        scene.server.set(.silence, for: "GET")
        scene.server.set(.silence, for: "PING")
        #expect(try await scene.read("token-1", self.both).isUnavailable)
        // Not connected any more, and PING is not answered: nothing is sent.
        #expect(try await scene.read("token-2", self.both).isUnavailable)
        #expect(try await scene.lock("token-2", "h") == .unavailable)
        #expect(scene.server.names == ["GET"])
        #expect(try await scene.counts.errors == 3)
    }

    // MARK: - Locks

    @Test func lockIsHadByOne() async throws {
        let server = self.scene.server
        #expect(try await self.scene.lock("token-1", "first") == .acquired)
        #expect(try await server.next("SET").text.suffix(4) == ["first", "NX", "PX", "3000"])
        #expect(try await self.scene.lock("token-1", "second") == .held)
        #expect(try await self.scene.lock("token-2", "second") == .acquired)
        #expect(try await self.scene.read("token-1", self.both).isNone, "a lock is no entry")
    }

    @Test func onlyTheHolderGivesItBack() async throws {
        let server = self.scene.server
        let key = try RedisScene.setup("").lockKey(of: RedisScene.digest("token-1"))
        #expect(try await self.scene.lock("token-1", "first") == .acquired)
        for (holder, rest) in [("second", Array("first".utf8)), ("first", nil)] {
            try await self.scene.on { $0.unlock(RedisScene.digest("token-1"), holder: Array(holder.utf8)) }
            let words = try await server.next("EVAL").words
            #expect(words.dropFirst(2).map { $0 } == [Array("1".utf8), key, Array(holder.utf8)])
            #expect(server[key] == rest)
        }
        #expect(try await self.scene.counts.errors == 0)
    }
}

extension RedisTier.Found {
    var isNone: Bool { if case .none = self { true } else { false } }
    var isUnavailable: Bool { if case .unavailable = self { true } else { false } }

    var entry: CacheEntry? {
        switch self {
        case .entry(let entry, _), .negative(let entry): entry
        case .none, .unavailable: nil
        }
    }

    /// Nil for a negative entry, too.
    var issuer: Int? { if case .entry(_, let issuer) = self { issuer } else { nil } }
}
