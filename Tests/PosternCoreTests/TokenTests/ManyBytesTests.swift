import Testing

@testable import PosternCore

/// What reads a token eight bytes at a time against the plain way, with each byte at each place.
@Suite("Tokens, many bytes at a time")
struct ManyBytesTests {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The plain way: six bits at a time, and then encoded again, which only the canonical form survives.
    private static func decoded(_ text: [UInt8]) -> [UInt8]? {
        var octets: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text {
            guard let value = Self.alphabet.firstIndex(of: character) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return Array(Base64URL.encode(octets).utf8) == text ? octets : nil
    }

    @Test("base64url of every length decodes to what was encoded")
    func everyLength() {
        var numbers = SeededNumbers(seed: 21)
        for count in 0...100 {
            for _ in 0..<20 {
                let octets = (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
                let text = Array(Base64URL.encode(octets).utf8)
                #expect(Base64URL.decode(text.span.bytes) == octets)
                #expect(Self.decoded(text) == octets)
            }
        }
    }

    @Test("every byte at every place of a text of up to 24 characters is decoded, or refused, as the plain way does")
    func everyByte() {
        var numbers = SeededNumbers(seed: 22)
        for count in 1...24 {
            for place in 0..<count {
                var text = (0..<count).map { _ in Self.alphabet.randomElement(using: &numbers) ?? 65 }
                for byte in UInt8.min...UInt8.max {
                    text[place] = byte
                    guard Base64URL.decode(text.span.bytes) == Self.decoded(text) else {
                        Issue.record("byte \(byte) at \(place) of \(count)")
                        return
                    }
                }
            }
        }
    }

    @Test("every byte at every place of a JSON string ends it, is refused or is taken as the grammar says")
    func everyByteOfAString() {
        for count in 1...24 {
            for place in 0..<count {
                for byte in UInt8.min..<0x80 {
                    var content = [UInt8](repeating: UInt8(ascii: "k"), count: count)
                    content[place] = byte
                    let document = [UInt8(ascii: "\"")] + content + [UInt8(ascii: "\"")]
                    let value = try? JSONReader.parse(document.span.bytes)
                    // A quote ends the string and leaves something behind it; `\k` is no escape, and one at the end
                    // takes the closing quote away.
                    let refused = byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                    let expected = refused ? nil : JSONValue.string(String(decoding: content, as: UTF8.self))
                    guard value == expected else {
                        Issue.record("byte \(byte) at \(place) of \(count)")
                        return
                    }
                }
            }
        }
    }

    @Test("bytes over 0x7F in a JSON string are taken if they are UTF-8, wherever they stand")
    func utf8() throws {
        for count in 0...20 {
            let before = String(repeating: "a", count: count)
            for text in ["é", "€", "😀", "\u{7F}", "\u{80}"] {
                let document = Array("\"\(before)\(text)b\"".utf8)
                #expect(try JSONReader.parse(document.span.bytes) == .string("\(before)\(text)b"))
            }
            for octets: [UInt8] in [[0xC3], [0xFF], [0x80], [0xED, 0xA0, 0x80], [0xC0, 0xAF]] {
                let document = Array("\"\(before)".utf8) + octets + Array("bbbbbbbbb\"".utf8)
                #expect(throws: JSONProblem.self) { try JSONReader.parse(document.span.bytes) }
            }
        }
    }

    @Test("control characters are refused in identity values, ASCII and not, at every place")
    func controls() {
        for place in 0..<20 {
            for scalar in (UInt32(0)...0xFF).compactMap(Unicode.Scalar.init) {
                var scalars = [Unicode.Scalar](repeating: "v", count: 20)
                scalars[place] = scalar
                let text = String(String.UnicodeScalarView(scalars))
                let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                #expect(((try? IdentityValue.single(text)) == nil) == isControl)
            }
        }
    }

    @Test("words between spaces are scopes, wherever the spaces stand")
    func scopes() throws {
        for (text, expected) in [
            ("", []), (" ", []), ("a", ["a"]), (" a", ["a"]), ("a ", ["a"]), ("a  b", ["a", "b"]),
            ("trade:read trade:open", ["trade:read", "trade:open"]), ("\u{A0}x y", ["\u{A0}x", "y"]),
        ] {
            let principal = try ClaimRules.principal(
                issuer: "i", map: ClaimMap(), claims: .object([.init(name: "scope", value: .string(text))]),
                issuedAt: nil, notBefore: nil, expiresAt: 1)
            #expect(principal.scopes == expected)
        }
    }
}
