import NIOCore
import PosternCore
import PosternCrypto
import PosternRedis
import Testing

@testable import PosternProxy

@Suite struct RedisSetupTests {
    private static let digest = RedisScene.digest("token-1")
    private static let hex = String(decoding: Self.digest.hexadecimal, as: UTF8.self)

    // MARK: - Keys

    @Test func keyIsThePrefixAndTheDigest() throws {
        let setup = try RedisScene.setup("key_prefix: \"shop:\"")
        #expect(String(decoding: setup.key(of: Self.digest), as: UTF8.self) == "shop:\(Self.hex)")
        #expect(String(decoding: setup.revocationsKey, as: UTF8.self) == "shop:revocations")
        #expect(Self.hex.utf8.count == 64)
    }

    /// What a cluster hashes: the text between the first brace and the next closing one, if there is any, else all.
    private static func hashed(_ key: [UInt8]) -> ArraySlice<UInt8> {
        guard let open = key.firstIndex(of: UInt8(ascii: "{")),
            let close = key[open...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
        else { return key[...] }
        return key[(open + 1)..<close]
    }

    @Test(arguments: ["postern:", "p", "{shop}:", "a{shop}b:"])
    func lockIsOnTheNodeOfItsEntryAndNotItsEntry(prefix: String) throws {
        let setup = try RedisScene.setup("key_prefix: \"\(prefix)\"")
        let (key, lock) = (setup.key(of: Self.digest), setup.lockKey(of: Self.digest))
        #expect(Self.hashed(lock) == Self.hashed(key))
        #expect(lock != key)
        #expect(lock.starts(with: Array(prefix.utf8)))
    }

    @Test func locksOfTwoTokensAreTwo() throws {
        let setup = try RedisScene.setup("")
        #expect(setup.lockKey(of: Self.digest) != setup.lockKey(of: RedisScene.digest("token-2")))
    }

    // MARK: - What is the same

    private static let seal = RedisScene.seal
    private static let other = "fedcba9876543210fedcba9876543210"

    @Test func sameConfigurationElsewhereInItsFileIsTheSame() throws {
        let setup = try RedisScene.setup("timeout: 40ms")
        var configuration = setup.configuration
        configuration.mark = Mark(line: 99, column: 7)
        #expect(setup.configuration.mark != configuration.mark)
        #expect(setup.isSame(as: try RedisSetup(configuration)))
        #expect(setup.isSame(as: setup))
    }

    @Test(arguments: [
        ("another port", "redis://127.0.0.1:6380", Self.seal, ""),
        ("TLS", "rediss://127.0.0.1:6379", Self.seal, ""),
        ("another database", "redis://127.0.0.1:6379/1", Self.seal, ""),
        ("a password", "redis://127.0.0.1:6379", Self.seal, "password: p1"),
        ("a user", "redis://user:p1@127.0.0.1:6379", Self.seal, ""),
        ("a cluster", "redis+cluster://127.0.0.1:6379", Self.seal, ""),
        ("another seal", "redis://127.0.0.1:6379", Self.other, ""),
        ("another prefix", "redis://127.0.0.1:6379", Self.seal, "key_prefix: \"b:\""),
        ("another timeout", "redis://127.0.0.1:6379", Self.seal, "timeout: 49ms"),
    ])
    func anythingElseIsAnother(row: (String, String, String, String)) throws {
        let setup = try RedisScene.setup("")
        let changed = try RedisScene.setup(url: row.1, seals: [row.2], row.3)
        #expect(!setup.isSame(as: changed), "\(row.0)")
        #expect(!changed.isSame(as: setup), "\(row.0)")
    }

    // MARK: - Settings

    @Test(arguments: [
        ("redis://h1:7000/3", RedisSettings.Topology.single(RedisAddress(host: "h1", port: 7000))),
        (
            "redis+sentinel://h1,h2:7000/main",
            .sentinel([RedisAddress(host: "h1", port: 26379), RedisAddress(host: "h2", port: 7000)], master: "main")
        ),
        (
            "redis+cluster://h1,[::1]:7000",
            .cluster([RedisAddress(host: "h1", port: 6379), RedisAddress(host: "::1", port: 7000)])
        ),
    ])
    func serversAreThoseOfTheConfiguration(row: (String, RedisSettings.Topology)) throws {
        #expect(try RedisScene.setup(url: row.0, "").settings.topology == row.1)
    }

    @Test func settingsAreThoseOfTheConfiguration() throws {
        let setup = try RedisScene.setup(url: "redis://user:p%201@h1/3", "timeout: 7ms")
        #expect(setup.settings.user == "user")
        #expect(setup.settings.password == Array("p 1".utf8))
        #expect(setup.settings.database == 3)
        #expect(setup.settings.timeout == .milliseconds(7))
        #expect(setup.settings.tls == nil)
        #expect(try RedisScene.setup(url: "rediss://h1", "").settings.tls != nil)
    }

    @Test func authoritiesThatAreNoneAreRefused() throws {
        #expect(throws: TrustedAuthorities.Problem.self) {
            try RedisScene.setup(url: "rediss://h1", "ca: ca.pem")
        }
    }

    @Test func entryOfTheOldSealIsOpenedAfterARotation() throws {
        let old = try RedisScene.setup("")
        let new = try RedisScene.setup(seals: [Self.other, Self.seal], "")
        let sealed = try old.seal.seal([1, 2, 3], digest: Self.digest, binding: [])
        #expect(new.seal.open(sealed, digest: Self.digest, binding: []) == [1, 2, 3])
        let later = try new.seal.seal([1], digest: Self.digest, binding: [])
        #expect(old.seal.open(later, digest: Self.digest, binding: []) == nil)
    }
}
