import PosternCore
import Testing

@Suite("base64url")
struct Base64URLTests {
    private func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        return Base64URL.decode(characters.span.bytes)
    }

    /// RFC 4648 section 10, without the padding; the last from RFC 7515 appendix C.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func vectorsOfRFC4648(_ plain: String, _ encoded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
        #expect(self.decode(encoded) == Array(plain.utf8))
    }

    @Test func theTwoOtherCharactersAreThoseOfURLs() {
        #expect(Base64URL.encode([3, 236, 255, 224, 193]) == "A-z_4ME")
        #expect(self.decode("A-z_4ME") == [3, 236, 255, 224, 193])
    }

    @Test(arguments: [
        "A", "AAAAA", "Zg==", "Zg=", "Zm8=", "Zm9v=", "=", "Zm 9v", " Zm9v", "Zm9v\n", "Zm+v", "Zm/v", "Zm9v.",
        "Zm9\u{0}",
        "Zm9\u{E9}", "Zh", "Zm9", "Zn8B_", "Zm9vYh", "_x", "AB",
    ])
    func nonCanonicalFormIsRefused(_ text: String) {
        #expect(self.decode(text) == nil)
    }

    @Test func everyOtherLastCharacterOfOneOctetIsRefused() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        #expect(alphabet.filter { self.decode("Z\($0)") != nil } == "AQgw")
        #expect(alphabet.filter { self.decode("Zm\($0)") != nil } == "AEIMQUYcgkosw048")
    }

    @Test func everyByteOutsideTheAlphabetIsRefusedInEveryPlace() {
        let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for byte in UInt8.min...UInt8.max where !alphabet.contains(byte) {
            for place in 0..<7 {
                var bytes = Array("AAAAAAA".utf8)
                bytes[place] = byte
                #expect(Base64URL.decode(bytes.span.bytes) == nil, "byte \(byte) at \(place)")
            }
        }
    }

    @Test func everyCharacterIsWrittenInEveryPlaceOfAGroup() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for value in 0..<64 {
            for place in 0..<8 {
                let bits = UInt64(value) << (58 - 6 * place)
                let octets = (0..<6).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) }
                var expected = [UInt8](repeating: alphabet[0], count: 8)
                expected[place] = alphabet[value]
                // Twice, so that one is the first of a long text and one the last.
                #expect(Base64URL.encoded((octets + octets).span.bytes) == expected + expected)
            }
        }
    }

    @Test func decodingUndoesEncodingAndTheOtherWayRound() {
        var generator = TokenTestGenerator(state: 3)
        for count in 0..<200 {
            let octets = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(self.decode(Base64URL.encode(octets)) == octets)
        }
    }
}
