import GRDB
import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct KeyRingTests {
    @Test(
        "The key of the first start signs after a restart",
        arguments: [
            SignatureAlgorithm.rs256, .es256, .eddsa,
        ])
    func persists(_ algorithm: SignatureAlgorithm) async throws {
        let folder = try TemporaryFolder()
        let first = try await TestIssuer(folder: folder, algorithm: algorithm).issuer.keys
        let second = try await TestIssuer(folder: folder, algorithm: algorithm).issuer.keys
        #expect(first.signer.kid == second.signer.kid)
        #expect(first.published == second.published)
        #expect(first.signer.key.algorithm == algorithm)
    }

    @Test("The kid is the RFC 7638 thumbprint, computed here from the published members alone")
    func thumbprint() async throws {
        let keys = try await TestIssuer(algorithm: .rs256).issuer.keys
        let document = try JSONReader.parse(Array(keys.published.utf8).span.bytes)
        guard case .array(let published)? = document["keys"], let key = published.first else {
            Issue.record("no keys")
            return
        }
        let e = try #require(key["e"]?.string)
        let n = try #require(key["n"]?.string)
        let canonical = "{\"e\":\"\(e)\",\"kty\":\"RSA\",\"n\":\"\(n)\"}"
        #expect(key["kid"]?.string == Base64URL.encode(Digest.sha256(Array(canonical.utf8))))
        #expect(key["alg"]?.string == "RS256")
        #expect(key["use"]?.string == "sig")
        #expect(key["d"] == nil)
        #expect(published.count == 1)
    }

    @Test("Another master key opens nothing and changes nothing")
    func wrongKey() async throws {
        let folder = try TemporaryFolder()
        let first = try await TestIssuer(folder: folder)
        var configuration = TestIssuer.configuration(folder)
        configuration.store.keySource = .bytes([UInt8](repeating: 9, count: 32))
        await #expect(throws: IssuerStartError.wrongKey) { try await Issuer.open(configuration) }
        let digests = try await first.issuer.store.secretDigests(of: "trading-dashboard", now: 1000)
        #expect(
            try await TestIssuer(folder: folder).issuer.store.secretDigests(of: "trading-dashboard", now: 1000)
                == digests)
    }

    @Test("Private keys are not in the store in clear, and cannot be moved to another row")
    func sealed() async throws {
        let folder = try TemporaryFolder()
        let test = try await TestIssuer(folder: folder)
        let stored = try #require(try await test.issuer.store.signingKeys().first)
        #expect(throws: CryptoError.self) { try SigningKey(pkcs8: stored.sealed, algorithm: .es256) }
        try await test.issuer.store.script("UPDATE signing_key SET kid = 'another'")
        await #expect(throws: IssuerStartError.wrongKey) { try await TestIssuer(folder: folder) }
    }

    @Test("Of two first starts at the same moment one key wins, for both")
    func race() async throws {
        let store = try await TestStore(.sqlite).open()
        let master = try MasterKey([UInt8](repeating: 3, count: 32))
        let rings = try await withThrowingTaskGroup(of: KeyRing.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await KeyRing.load(
                        from: store, master: master, algorithm: .es256, clock: TestClock(0).clock)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(rings.map(\.signer.kid)).count == 1)
        #expect(try await store.signingKeys().count == 1)
    }
}
