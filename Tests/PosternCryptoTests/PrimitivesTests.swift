import PosternCore
import PosternCrypto
import Testing

@Suite("Digests, codes, derivation, sealing")
struct PrimitivesTests {
    @Test func sha256OfFIPS180() {
        #expect(
            Digest.sha256Hex(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest.sha256Hex([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            Digest.sha256(million.span.bytes) == hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        )
    }

    /// RFC 4231 section 4.
    @Test(arguments: [
        (
            String(repeating: "0b", count: 20), "4869205468657265",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            String(repeating: "aa", count: 131),
            "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func hmacOfRFC4231(_ key: String, _ message: String, _ code: String) {
        #expect(HMACKey(hex(key)).code(hex(message)) == hex(code))
    }

    @Test func hmacUnderAnEmptyKeyAndOfNothing() {
        #expect(
            HMACKey([]).code([]) == hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
        )
    }

    /// RFC 5869 appendices A.1 and A.3.
    @Test func hkdfOfRFC5869() throws {
        let key = [UInt8](repeating: 0x0B, count: 22)
        let first = try HKDF.sha256(
            key: key, salt: hex("000102030405060708090a0b0c"), info: hex("f0f1f2f3f4f5f6f7f8f9"), count: 42)
        #expect(
            first == hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
        let second = try HKDF.sha256(key: key, salt: [], info: [], count: 42)
        #expect(
            second == hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
        #expect(throws: CryptoError.self) { try HKDF.sha256(key: [], salt: [], info: [], count: 32) }
        #expect(throws: CryptoError.self) { try HKDF.sha256(key: key, salt: [], info: [], count: 8161) }
        #expect(throws: CryptoError.self) { try HKDF.sha256(key: key, salt: [], info: [], count: 0) }
    }

    /// RFC 7914 section 12.
    @Test func scryptOfRFC7914() throws {
        let hash = try Scrypt.hash(
            password: Array("password".utf8), salt: Array("NaCl".utf8), cost: .init(n: 1024, r: 8, p: 16), count: 64)
        #expect(
            hash
                == hex(
                    """
                    fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162
                    2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
                    """))
        let empty = try Scrypt.hash(password: [], salt: [], cost: .init(n: 16, r: 1, p: 1), count: 64)
        #expect(empty.prefix(8).elementsEqual(hex("77d6576238657b20")))
        #expect(throws: CryptoError.self) { try Scrypt.hash(password: [1], salt: [1], cost: .init(n: 15)) }
        #expect(throws: CryptoError.self) { try Scrypt.hash(password: [1], salt: [1], cost: .init(n: 1 << 30)) }
    }

    @Test(arguments: [0, 1, 15, 16, 17, 1000])
    func sealedBytesOpenAgain(_ count: Int) throws {
        let key = Random.bytes(32)
        let plaintext = [UInt8](repeating: 7, count: count)
        let sealed = try AEAD.seal(plaintext, key: key, additional: [1, 2])
        #expect(sealed.count == count + 28)
        #expect(AEAD.open(sealed, key: key, additional: [1, 2]) == plaintext)
        #expect(AEAD.open(sealed, key: key, additional: [1]) == nil)
        #expect(AEAD.open(sealed, key: key) == nil)
        #expect(AEAD.open(sealed, key: [UInt8](repeating: 0, count: 32), additional: [1, 2]) == nil)
        for length in 0..<min(sealed.count, 60) {
            #expect(AEAD.open(Array(sealed.prefix(length)), key: key, additional: [1, 2]) == nil)
        }
        for index in 0..<min(sealed.count, 60) {
            var changed = sealed
            changed[index] ^= 0x80
            #expect(AEAD.open(changed, key: key, additional: [1, 2]) == nil, "byte \(index)")
        }
    }

    /// Test case 14 of the GCM specification (key, nonce and plaintext of zeros).
    @Test func opensWhatTheSpecificationSealed() {
        let sealed = hex("000000000000000000000000 cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919")
        #expect(AEAD.open(sealed, key: [UInt8](repeating: 0, count: 32)) == [UInt8](repeating: 0, count: 16))
    }

    @Test func twoSealingsOfOneTextDiffer() throws {
        let key = Random.bytes(32)
        #expect(try AEAD.seal([1], key: key) != AEAD.seal([1], key: key))
        #expect(throws: CryptoError.self) { try AEAD.seal([1], key: [1]) }
    }

    @Test func equalityInConstantTimeIsEquality() {
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(constantTimeEquals([], []))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
        #expect(!constantTimeEquals([], [0]))
    }

    @Test func randomBytesAreAsManyAsAskedFor() {
        #expect(Random.bytes(0).isEmpty)
        #expect(Random.bytes(33).count == 33)
        #expect(Random.bytes(16) != Random.bytes(16))
    }
}
