import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct KeyRotationTests {
    private let table = KeyTable()
    private let clock = TestClock(10_000)
    private let log = LogCapture()
    private let lines = LogCapture()

    private func ring(_ algorithm: SignatureAlgorithm? = .es256) async throws -> KeyRing {
        let master = try MasterKey([UInt8](repeating: 3, count: 32))
        return try await KeyRing.load(
            from: self.table, master: master, algorithm: algorithm, clock: self.clock.clock)
    }

    private func rotation(_ ring: KeyRing, age: Int?) -> KeyRotation {
        let audit = AuditLog(store: AuditTable(), logger: self.log.logger, output: self.lines.append)
        return KeyRotation(ring: ring, age: age, clock: self.clock.clock, audit: audit, logger: self.log.logger)
    }

    private static func published(_ ring: KeyRing) throws -> [String?] {
        try JWKSet(Array(ring.published.utf8).span.bytes).keys.map(\.keyID)
    }

    @Test("A next key is published at once, signs 360 seconds later without anybody reading it again")
    func rotates() async throws {
        let ring = try await self.ring()
        let first = ring.signer.kid
        let (added, entry) = try await ring.rotate(by: "command")
        #expect(added)
        #expect(entry.actor == "command" && entry.action == .signingKeyAdded)
        #expect(self.table.audit == [entry])
        let second = try #require(self.table.keys.first?.kid)
        #expect(entry.target == "signing-key:\(second)")
        #expect(try Self.published(ring) == [second, first])
        #expect(ring.verification.keys.count == 2)
        self.clock.advance(by: 359.9)
        #expect(ring.signer.kid == first)
        self.clock.advance(by: 0.1)
        #expect(ring.signer.kid == second)
        #expect(try await self.ring(nil).signer.kid == second)
    }

    @Test("While a key waits there is no other")
    func waits() async throws {
        let ring = try await self.ring()
        #expect(try await ring.rotate(by: "command").added)
        #expect(try await !ring.rotate(by: "command").added)
        #expect(self.table.keys.count == 2)
        self.clock.advance(by: 360)
        #expect(try await ring.rotate(by: "command").added)
        #expect(self.table.keys.count == 3)
    }

    @Test("Another algorithm begins with a key that is published before it signs")
    func changesAlgorithm() async throws {
        let old = try await self.ring(.es256).signer
        let ring = try await self.ring(.eddsa)
        #expect(ring.signer.kid == old.kid)
        #expect(try Self.published(ring).count == 2)
        #expect(self.table.audit.map(\.actor) == ["issuer"])
        // A second start, or a second process, adds nothing.
        _ = try await self.ring(.eddsa)
        #expect(self.table.keys.count == 2)
        self.clock.advance(by: 360)
        #expect(ring.signer.key.algorithm == .eddsa)
        // Without a wish the store stays as it is.
        #expect(try await self.ring(nil).signer.key.algorithm == .eddsa)
        #expect(self.table.keys.count == 2)
    }

    @Test("Without a wish a new store signs with RS256")
    func standard() async throws {
        #expect(try await self.ring(nil).signer.key.algorithm == .rs256)
        #expect(self.table.keys.map(\.signsFrom) == [10_000])
    }

    @Test("Keys follow each other by age, and go when their last token is over")
    func ages() async throws {
        let ring = try await self.ring()
        let rotation = self.rotation(ring, age: 7200)
        let first = ring.signer.kid
        self.clock.advance(by: 7199)
        await rotation.round()
        #expect(self.table.keys.count == 1)
        self.clock.advance(by: 1)
        await rotation.round()
        await rotation.round()
        #expect(self.table.keys.count == 2)
        #expect(self.lines.text.contains("\"action\":\"signing_key.add\",\"allowed\":true,\"actor\":\"issuer\""))
        self.clock.advance(by: 360)
        await rotation.round()
        let second = ring.signer.kid
        #expect(second != first)
        #expect(self.log.text.contains("another signing key signs"))
        self.clock.advance(by: 3600 + 300 - 1)
        await rotation.round()
        #expect(try Self.published(ring) == [second, first])
        self.clock.advance(by: 1)
        await rotation.round()
        #expect(try Self.published(ring) == [second])
        #expect(self.table.keys.map(\.kid) == [second])
        #expect(self.log.text.contains("signing key removed"))
    }

    @Test("While the store is away the keys stay, and that is said once")
    func away() async throws {
        let ring = try await self.ring()
        let rotation = self.rotation(ring, age: 1)
        let kid = ring.signer.kid
        self.table.setAway(true)
        self.clock.advance(by: 100)
        await rotation.round()
        await rotation.round()
        #expect(ring.signer.kid == kid)
        #expect(self.log.text.split(separator: "\n").count == 1)
        #expect(self.log.text.contains("the signing keys cannot be read again"))
        self.table.setAway(false)
        await rotation.round()
        #expect(self.table.keys.count == 2)
    }

    @Test("A store whose keys are gone changes nothing in a process that runs")
    func gone() async throws {
        let ring = try await self.ring()
        let kid = ring.signer.kid
        try await self.table.removeSigningKeys([kid])
        await #expect(throws: IssuerStartError.store("its signing keys are gone")) { try await ring.reload() }
        #expect(ring.signer.kid == kid)
    }

    /// Two processes, of which one only reads, over four rotations. Whoever caches the key set for its max-age knows the
    /// key of every token when it comes, and until it is over.
    @Test("No token is ever signed by a key that a cache does not know, or outlives its key")
    func everyTokenVerifies() async throws {
        let (one, two) = (try await self.ring(), try await self.ring())
        let rotation = self.rotation(one, age: 4000)
        var caches: [(time: Int, kids: Set<String?>)] = []
        var tokens: [(kid: String, end: Int)] = []
        var signers: Set<String> = []
        for step in 0..<1700 {
            let now = step * 10
            if step % 3 == 0 {
                await rotation.round()
                try await two.reload()
            }
            let published = try Set(Self.published(two)).union(Self.published(one))
            caches.append((now, try Set(Self.published(one)).intersection(Self.published(two))))
            caches.removeAll { $0.time < now - MetadataEndpoints.maxAge }
            for ring in [one, two] {
                let kid = ring.signer.kid
                signers.insert(kid)
                #expect(caches.allSatisfy { $0.kids.contains(kid) })
                tokens.append((kid, now + 3600))
            }
            tokens.removeAll { $0.end <= now }
            #expect(Set(tokens.map(\.kid)).isSubset(of: published.compactMap(\.self)))
            self.clock.advance(by: 10)
        }
        #expect(signers.count == 4)
    }
}
