import PosternCore
import PosternCrypto
import Testing

@Suite("Sealing cache entries")
struct EntrySealTests {
    private static let old = Array("the old secret, 32 bytes or more".utf8)
    private static let new = Array("the new secret, of more than 32 bytes".utf8)
    private static let binding = Array("hecate".utf8)
    private static let plaintext = Array(#"{"active":true}"#.utf8)

    private let digest = TokenDigest(of: Array("token".utf8).span.bytes)

    private func sealed(_ secrets: [[UInt8]] = [old]) throws -> [UInt8] {
        try EntrySeal(secrets: secrets).seal(Self.plaintext, digest: self.digest, binding: Self.binding)
    }

    private func open(_ sealed: [UInt8], _ secrets: [[UInt8]] = [old]) throws -> [UInt8]? {
        try EntrySeal(secrets: secrets).open(sealed, digest: self.digest, binding: Self.binding)
    }

    @Test func entryOpensAgainAndShowsNothing() throws {
        let sealed = try self.sealed()
        #expect(sealed.count == Self.plaintext.count + EntrySeal.overhead)
        #expect(EntrySeal.overhead == 33)
        #expect(sealed[0] == 1)
        #expect(try self.open(sealed) == Self.plaintext)
        for hidden in [Self.plaintext, Self.old, self.digest.bytes, Self.binding] {
            let parts = stride(from: 0, through: hidden.count - 6, by: 1).map { Array(hidden[$0..<$0 + 6]) }
            for part in parts { #expect(!Self.contains(sealed, part)) }
        }
        #expect(try self.sealed() != sealed)
        #expect(try EntrySeal(secrets: [Self.old]).seal([], digest: self.digest, binding: []).count == 33)
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: part) }
    }

    @Test func changedEntryDoesNotOpen() throws {
        let sealed = try self.sealed()
        for index in sealed.indices {
            for bit in 0..<8 {
                var changed = sealed
                changed[index] ^= 1 << bit
                #expect(try self.open(changed, [Self.old, Self.new]) == nil, "bit \(bit) of byte \(index)")
            }
        }
        for length in sealed.indices { #expect(try self.open(Array(sealed.prefix(length))) == nil) }
        #expect(try self.open(sealed + [0]) == nil)
        #expect(try self.open([0] + sealed) == nil)
        #expect(try self.open([UInt8](repeating: 1, count: 200)) == nil)
    }

    @Test func entryOfAnotherTokenOrIssuerDoesNotOpen() throws {
        let seal = try EntrySeal(secrets: [Self.old])
        let sealed = try self.sealed()
        let other = TokenDigest(of: Array("tokeo".utf8).span.bytes)
        #expect(seal.open(sealed, digest: other, binding: Self.binding) == nil)
        for binding in ["", "hecat", "hecate ", "Hecate", "hecate\u{0}"] {
            #expect(seal.open(sealed, digest: self.digest, binding: Array(binding.utf8)) == nil)
        }
        // Without an issuer it is still bound to its token.
        let unbound = try seal.seal(Self.plaintext, digest: self.digest, binding: [])
        #expect(seal.open(unbound, digest: self.digest, binding: []) == Self.plaintext)
        #expect(seal.open(unbound, digest: other, binding: []) == nil)
    }

    @Test func partsOfTwoEntriesDoNotMakeAThird() throws {
        let (one, two) = (try self.sealed(), try self.sealed())
        for cut in [1, 5, 17, one.count - 16] {
            #expect(try self.open(Array(one.prefix(cut) + two.dropFirst(cut))) == (cut <= 5 ? Self.plaintext : nil))
        }
    }

    @Test func anotherSecretDoesNotOpen() throws {
        #expect(try self.open(try self.sealed(), [Self.new]) == nil)
        // Neither does it under the other one's key id.
        let foreign = Array(try self.sealed([Self.new]).prefix(5) + self.sealed().dropFirst(5))
        #expect(try self.open(foreign, [Self.old, Self.new]) == nil)
    }

    @Test func firstSecretSealsAndAllOpen() throws {
        let before = try self.sealed([Self.old])
        let between = try self.sealed([Self.old, Self.new])
        let after = try self.sealed([Self.new, Self.old])
        for sealed in [before, between, after] {
            #expect(try self.open(sealed, [Self.old, Self.new]) == Self.plaintext)
            #expect(try self.open(sealed, [Self.new, Self.old]) == Self.plaintext)
            #expect(try self.open(sealed, [Self.old, Self.old, Self.new]) == Self.plaintext)
        }
        #expect(before[1..<5] == between[1..<5])
        #expect(before[1..<5] != after[1..<5])
        #expect(try self.open(between, [Self.old]) == Self.plaintext)
        #expect(try self.open(after, [Self.new]) == Self.plaintext)
        #expect(try self.open(after, [Self.old]) == nil)
        #expect(try self.open(before, [Self.new]) == nil)
    }

    /// The form of an entry is fixed: processes of different releases share one Redis. This one was made by
    /// the HKDF and AESGCM of Python's `cryptography`.
    @Test func entryOfAnotherProgramOpens() throws {
        let sealed = hex(
            """
            01be695aab000102030405060708090a0b
            913027fa007ad601a98eb6a99c9337ed81dbe08738f7948f6e45fe8fa277e9
            """)
        #expect(try self.open(sealed) == Self.plaintext)
    }

    @Test func secretsHaveAShortestLength() throws {
        #expect(throws: CryptoError.self) { try EntrySeal(secrets: []) }
        #expect(throws: CryptoError.self) { try EntrySeal(secrets: [[]]) }
        #expect(throws: CryptoError.self) { try EntrySeal(secrets: [Array(Self.old.prefix(31))]) }
        #expect(throws: CryptoError.self) { try EntrySeal(secrets: [Self.old, Array(Self.old.prefix(31))]) }
        #expect(throws: Never.self) { try EntrySeal(secrets: [Array(Self.old.prefix(32))]) }
    }

    @Test func sealShowsNoKey() throws {
        let seal = try EntrySeal(secrets: [Self.old])
        var dumped = ""
        dump(seal, to: &dumped)
        #expect("\(seal)" == "[entry seal]")
        #expect(dumped == "- [entry seal]\n")
    }

    @Test func digestOfAToken() {
        let digest = TokenDigest(of: Array("abc".utf8).span.bytes)
        #expect(
            digest == TokenDigest(hex: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        #expect(digest.bytes == Digest.sha256(Array("abc".utf8)))
        #expect(String(decoding: digest.hexadecimal, as: UTF8.self) == Digest.sha256Hex(Array("abc".utf8)))
    }
}
