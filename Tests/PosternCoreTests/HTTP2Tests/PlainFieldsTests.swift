import PosternCore
import Testing

@Suite struct PlainFieldsTests {
    /// All bytes from 0 to 255 in the Huffman code, by another implementation.
    private static let everyByte = bytes(
        "ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabffffffdfffffebfffffecfffff"
            + "edfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffffd7fffffdbfffffdffffffe3fffffe7fffffebfffffed4fe3"
            + "f9ffaffcabf1febfafefe7fdfd2cbb00089969b71d79fb9f7fff20ffbff3ff50ddbd7f061c58f265cd9f469d5af66dddbf871e5f9cff7ff7"
            + "fffc3ff9ffe45fff4719242cb34e6e9d68a6a3d7dac426defe3cfaf7fffbfe7ffbffdffffffcfffe6ffff4bfff9ffffa3fffd3ffff53fffd"
            + "5ffffb3fffeb7fffdaffffb7ffff73fffeeffffdeffffebffffbfffffd9ffffdbfffebffffe0ffffeeffffc3ffff8bffff1ffffe4fffee7f"
            + "ffb1ffff97fffd9ffffcdffff9fffffbffffdafffeeffff4ffffb7fffee7fffe8ffffd3fffdeffffd5fffeeffffbdffffe1fffdfffff7fff"
            + "ff5ffffecffff07fff87fffe0ffff17fffedffff87ffff77fffeffffeaffff8bfffe3ffff93ffff87fffcbffff37ffff1fffff83ffffe1ff"
            + "febfffe3ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8fffffb7fff97fff8fffffe6fffffc1fffff8"
            + "7ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9fffff97fffb3ffffcffffb7fffcdffff4ffff9ffffd1ffff"
            + "cffffeaffffafffffddffffeffffff4fffff5fffffabffffa7ffffd7fffff9bffffecfffffb7fffff3fffffe8fffffd3fffffabfffff5fff"
            + "ffff7ffffecfffffdbfffffbbfffff7ffffff0fffffbbf")
    /// `plainToken` in the Huffman code.
    private static let token = bytes(
        "ba51d85b142facb3c78886d46cbbb87bc81d26c88c94a6bfdbd91cc9d301a5d8b97d65f7272c86d46ca1cfbc869762e41515474e1049f996"
            + "85a2ffedd28ec2d8a17d659e3c4436a365ddc3de40e9364464a535fedec8e64e980d2ec5cbeb2fb9396436a3650e7de434bb1720a8aa3a70"
            + "824fccb42d17ff7f")
    private static let plainToken = [String](
        repeating: "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJ1LTcifQ.c2lnbmF0dXJl-_~", count: 2
    ).joined()

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static func length(_ length: Int, _ first: UInt8) -> [UInt8] {
        if length < 127 { return [first | UInt8(length)] }
        if length < 255 { return [first | 127, UInt8(length - 127)] }
        return [first | 127, UInt8((length - 127) & 127 | 128), UInt8((length - 127) >> 7)]
    }

    private static func huffman(_ code: [UInt8]) -> [UInt8] { Self.length(code.count, 0x80) + code }
    private static func plain(_ text: [UInt8]) -> [UInt8] { Self.length(text.count, 0) + text }
    private static func frame(_ block: [UInt8], type: UInt8 = 1, flags: UInt8 = 5) -> [UInt8] {
        [0, UInt8(block.count >> 8), UInt8(block.count & 255), type, flags, 0, 0, 0, 1] + block
    }

    private static func rewritten(_ bytes: [UInt8], from start: Int = 0) -> [UInt8]? {
        var fields = PlainFields()
        let first = fields.rewrite(bytes.span.bytes, from: start)
        let second = fields.rewrite(bytes.span.bytes, from: start)
        #expect(first == second, "nothing is left over")
        return first
    }

    private static let tokenBytes = Array(Self.plainToken.utf8)
    private static let every = (0...255).map { UInt8($0) }
    /// What comes before the value, of each kind of literal: with a name of a table, and with one of its own.
    private static let starts: [[UInt8]] = [
        [0x0F, 0x08], [0x17], [0x7F, 0x20], [0x40, 0x01, 0x61], [0x00, 0x01, 0x61], [0x10, 0x81, 0x1F],
        [0x82, 0x3F, 0x05, 0x57],
    ]

    @Test("long strings are decoded, wherever they stand; the rest stays", arguments: starts)
    func strings(start: [UInt8]) {
        for (code, text) in [(Self.token, Self.tokenBytes), (Self.everyByte, Self.every)] {
            let rest: [UInt8] = [0x84, 0x00, 0x01, 0x62, 0x82, 0x1F, 0x1F]
            let before = Self.frame(start + Self.huffman(code) + rest)
            let after = Self.frame(start + Self.plain(text) + rest)
            #expect(Self.rewritten(before) == after)
            let around =
                Self.frame([1, 2, 3], type: 0) + before + Self.frame([], type: 4) + before + Self.frame([9], type: 0)
            let rewritten =
                Self.frame([1, 2, 3], type: 0) + after + Self.frame([], type: 4) + after + Self.frame([9], type: 0)
            #expect(Self.rewritten([7, 7] + around, from: 2) == [7, 7] + rewritten)
            // The last content is not all here.
            #expect(Self.rewritten(before + [0, 0, 9, 0, 0, 0, 0, 0, 1, 5]) == after + [0, 0, 9, 0, 0, 0, 0, 0, 1, 5])
        }
        let name = [0x40] + Self.huffman(Self.token) + [0x01, 0x61]
        #expect(Self.rewritten(Self.frame(name)) == Self.frame([0x40] + Self.plain(Self.tokenBytes) + [0x01, 0x61]))
        let priority: [UInt8] = [0x80, 0, 0, 0, 9]
        let weighted = Self.rewritten(Self.frame(priority + start + Self.huffman(Self.token), flags: 0x25))
        #expect(weighted == Self.frame(priority + start + Self.plain(Self.tokenBytes), flags: 0x25))
    }

    @Test("what has no long string, is no whole field section, or has padding, stays")
    func others() {
        let block = [0x17] + Self.huffman(Self.token)
        for flags: UInt8 in [0, 1, 0x0D] { #expect(Self.rewritten(Self.frame(block, flags: flags)) == nil) }
        #expect(Self.rewritten(Self.frame(block, type: 9)) == nil)
        #expect(Self.rewritten(Self.frame([0x82, 0x17] + Self.plain(Self.tokenBytes))) == nil)
        #expect(Self.rewritten(Self.frame([0x17, 0x81, 0x1F])) == nil)
        #expect(Self.rewritten([]) == nil)
        #expect(Self.rewritten(Array(Self.frame(block).dropLast())) == nil)
        // Larger than a frame may be once it is decoded.
        let many = [[UInt8]](repeating: block, count: 120).flatMap(\.self)
        #expect(many.count < 16_384 && Self.rewritten(Self.frame(many)) == nil)
    }

    @Test("what is odd stays, for the library to refuse")
    func malformed() {
        let good = Self.token
        var zeroes = good
        zeroes[zeroes.count - 1] &= 0xFE
        let wrong: [[UInt8]] = [
            zeroes, good + [0xFF], good + [0xFF, 0xFF, 0xFF, 0xFF], good + [0xFF, 0xFF, 0xFF, 0xFC] + good,
            Array(good.dropLast()) + [0xFF, 0xFF], [UInt8](repeating: 0xFF, count: 60),
        ]
        for code in wrong { #expect(Self.rewritten(Self.frame([0x17] + Self.huffman(code))) == nil) }
        let block = [0x17] + Self.huffman(good)
        for cut in 1..<block.count { #expect(Self.rewritten(Self.frame(Array(block.prefix(cut)))) == nil) }
        for tail: [UInt8] in [
            [0x17], [0x00], [0x40, 0x01], [0xFF], [0x7F, 0x80, 0x80, 0x80, 0x80], [0x17, 0x7F, 0xFF, 0xFF, 0x7F],
        ] {
            #expect(Self.rewritten(Self.frame(block + tail)) == nil)
        }
    }

    @Test("a string that comes again is the same again, and another one is another")
    func again() {
        var fields = PlainFields()
        let values = [(Self.token, Self.tokenBytes), (Self.everyByte, Self.every)]
        for index in [0, 0, 1, 1, 0, 1] {
            let (code, text) = values[index]
            let frame = Self.frame([0x17] + Self.huffman(code) + [0x17] + Self.huffman(code))
            let twice = Self.frame([0x17] + Self.plain(text) + [0x17] + Self.plain(text))
            #expect(fields.rewrite(frame.span.bytes, from: 0) == twice)
            // What is wrong with one string is not with the next.
            let broken = Self.frame([0x17] + Self.huffman(Array(code.dropLast()) + [0xFF, 0xFF]))
            #expect(fields.rewrite(broken.span.bytes, from: 0) == nil)
        }
    }
}
