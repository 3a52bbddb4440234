import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct PasswordHashTests {
    private static let cheap = Scrypt.Cost(n: 16, r: 1, p: 1)

    @Test(
        "Hashes that another program has made are read, written again and matched",
        arguments: [
            (
                "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
                "pleaseletmein"
            ),
            ("$scrypt$ln=4,r=1,p=2$8PHy8/T19vf4+fr7/P3+/w$6D5O6LIuwNGuNdizM53W0gjsrOe6zRpHs5XTaR6u90M", "pässwörd €"),
        ])
    func known(_ text: String, _ password: String) throws {
        let hash = try #require(PasswordHash(text))
        #expect(hash.description == text)
        #expect(try hash.matches(password))
        #expect(try !hash.matches(password + " "))
        #expect(try !hash.matches(""))
    }

    @Test("A new hash has the form, the cost and a salt of its own, and matches its password alone")
    func fresh() throws {
        let first = try PasswordHash(of: "secret", cost: Self.cheap)
        let second = try PasswordHash(of: "secret", cost: Self.cheap)
        #expect(
            first.description.wholeMatch(of: #/\$scrypt\$ln=4,r=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}/#) != nil)
        #expect(first.salt != second.salt)
        #expect(PasswordHash(first.description) == first)
        #expect(try first.matches("secret"))
        #expect(try !first.matches("Secret"))
    }

    @Test("New hashes cost 32 MiB and some fifty milliseconds")
    func standard() {
        let text = PasswordHash(cost: Scrypt.Cost(), salt: [UInt8](repeating: 0, count: 16), octets: []).description
        #expect(text.hasPrefix("$scrypt$ln=15,r=8,p=1$"))
    }

    private static let salt = "AAAAAAAAAAAAAAAAAAAAAA"
    private static let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

    static let malformed = [
        "", "$", "$scrypt$", "scrypt$ln=4,r=1,p=1$\(salt)$\(hash)", "$argon2id$ln=4,r=1,p=1$\(salt)$\(hash)",
        "$scrypt$ln=4,r=1,p=1$\(salt)$\(hash)$", "$scrypt$ln=4,r=1,p=1$\(salt)", "$scrypt$ln=4,r=1$\(salt)$\(hash)",
        "$scrypt$r=1,ln=4,p=1$\(salt)$\(hash)", "$scrypt$ln=4,r=1,p=1,x=1$\(salt)$\(hash)",
        "$scrypt$ln=04,r=1,p=1$\(salt)$\(hash)", "$scrypt$ln=+4,r=1,p=1$\(salt)$\(hash)",
        "$scrypt$ln=,r=1,p=1$\(salt)$\(hash)", "$scrypt$ln=4, r=1,p=1$\(salt)$\(hash)",
        "$scrypt$ln=0,r=1,p=1$\(salt)$\(hash)", "$scrypt$ln=21,r=1,p=1$\(salt)$\(hash)",
        "$scrypt$ln=4,r=65,p=1$\(salt)$\(hash)", "$scrypt$ln=4,r=1,p=17$\(salt)$\(hash)",
        "$scrypt$ln=20,r=64,p=1$\(salt)$\(hash)", "$scrypt$ln=16,r=1,p=1$\(salt)$\(hash)",
        "$scrypt$ln=4,r=999999999999999999999,p=1$\(salt)$\(hash)", "$scrypt$ln=4,r=1,p=1$AAAA$\(hash)",
        "$scrypt$ln=4,r=1,p=1$\(salt)==$\(hash)", "$scrypt$ln=4,r=1,p=1$\(salt)$\(hash)=",
        "$scrypt$ln=4,r=1,p=1$\(salt)$AAAA", "$scrypt$ln=4,r=1,p=1$-AAAAAAAAAAAAAAAAAAAAA$\(hash)",
        "$scrypt$ln=4,r=1,p=1$\(salt)$_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAB$\(hash)",
    ]

    @Test("Everything else is no hash", arguments: Self.malformed)
    func refuses(_ text: String) {
        #expect(PasswordHash(text) == nil)
    }

    @Test("The form that the refusals vary is one")
    func form() {
        #expect(PasswordHash("$scrypt$ln=4,r=1,p=1$\(Self.salt)$\(Self.hash)") != nil)
        #expect(PasswordHash("$scrypt$ln=20,r=1,p=1$\(Self.salt)$\(Self.hash)") == nil)
        #expect(PasswordHash("$scrypt$ln=17,r=8,p=1$\(Self.salt)$\(Self.hash)") != nil)
    }
}

@Suite struct PasswordHasherTests {
    private static let cost = Scrypt.Cost(n: 16, r: 1, p: 1)

    @Test("A password matches its hash; nothing matches no hash, or one that cannot be read")
    func matches() async throws {
        let hasher = PasswordHasher(cost: Self.cost)
        let stored = try await hasher.hash("secret")
        #expect(try await hasher.matches("secret", stored: stored))
        #expect(try await !hasher.matches("other", stored: stored))
        #expect(try await !hasher.matches("secret", stored: nil))
        #expect(try await !hasher.matches("secret", stored: "rubbish"))
    }

    @Test("A hash is current while new ones have the same cost")
    func current() async throws {
        let hasher = PasswordHasher(cost: Self.cost)
        let stored = try await hasher.hash("secret")
        let dearer = PasswordHasher(cost: Scrypt.Cost(n: 32, r: 1, p: 1))
        #expect(hasher.isCurrent(stored))
        #expect(!dearer.isCurrent(stored))
        #expect(!dearer.isCurrent("rubbish"))
        #expect(try await dearer.matches("secret", stored: stored))
    }
}
