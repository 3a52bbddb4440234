import Testing

@testable import PosternCore

/// The primitives that work on many bytes a step, against doing it one by one.
@Suite struct BytesTests {
    private static let longest = 70

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte + 32 : byte
    }

    // MARK: - equals

    private static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.span.bytes.equals(other.span.bytes)
    }

    @Test("spans are equal if every byte is, wherever in memory they stand")
    func equals() {
        var numbers = SeededNumbers(seed: 1)
        for count in 0...Self.longest {
            let text = (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            for offset in 0...8 {
                let memory = [UInt8](repeating: 1, count: offset) + text + [2, 3]
                let span = memory.span.bytes.slice(ByteRange(offset, offset + count))
                guard span.equals(text.span.bytes), text.span.bytes.equals(span) else {
                    Issue.record("\(text) is not itself at offset \(offset)")
                    return
                }
                for place in 0..<count {
                    for bit in 0..<8 {
                        var other = text
                        other[place] ^= 1 << UInt8(bit)
                        guard !span.equals(other.span.bytes), !other.span.bytes.equals(span) else {
                            Issue.record("bit \(bit) of byte \(place) of \(count) at offset \(offset) does not count")
                            return
                        }
                    }
                }
            }
            #expect(!Self.areEqual(text, text + [0]) && !Self.areEqual(text + [0], text))
        }
    }

    @Test("every pair of bytes, at the first and the last place of each step's size")
    func equalsForEveryPair() {
        for count in [1, 8, 32, 41] {
            for place in [0, count - 1] {
                for one in UInt8.min...UInt8.max {
                    for other in UInt8.min...UInt8.max {
                        var (left, right) = (
                            [UInt8](repeating: 0x7F, count: count), [UInt8](repeating: 0x7F, count: count)
                        )
                        left[place] = one
                        right[place] = other
                        guard Self.areEqual(left, right) == (one == other) else {
                            Issue.record("\(one), \(other) at \(place) of \(count)")
                            return
                        }
                    }
                }
            }
        }
    }

    // MARK: - equalsIgnoringCase

    /// Of every length around the steps, with the neighbours of the letters and bytes over 0x7F.
    private static let literals: [StaticString] = [
        "", "a", "z", "-", "te", "x-1", "host", "@[`{", "expect", "upgrade", "x-a`b{c[", "forwarded", "keep-alive",
        "a@b[c`d{e^f", "x-request-id", "authorization", "http2-settings", "zyxwvutsrqponml", "proxy-connection",
        "transfer-encoding", "x-forwarded-for-az", "éàü ÿ and some more", "0123456789-_.~!#$%&'*+^`|abcdefgh",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopq",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr",
    ]

    private static func isName(_ bytes: [UInt8], _ start: Int, _ end: Int, _ name: StaticString) -> Bool {
        bytes.span.bytes.slice(ByteRange(start, end)).equalsIgnoringCase(name)
    }

    @Test("every byte at every place of a name, as letters of either case and as itself", arguments: literals.indices)
    func equalsIgnoringCase(_ index: Int) {
        let literal = Self.literals[index]
        let lower = literal.withUTF8Buffer { Array($0) }
        let upper = lower.map { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") ? $0 - 32 : $0 }
        for offset in 0...8 {
            for text in [lower, upper] {
                var memory = [UInt8](repeating: 0xAA, count: offset) + text + [0xBB]
                let end = offset + text.count
                #expect(Self.isName(memory, offset, end, literal))
                #expect(!Self.isName(memory, offset, end + 1, literal), "a byte more")
                #expect(text.isEmpty || !Self.isName(memory, offset, end - 1, literal), "a byte less")
                for place in text.indices {
                    for byte in UInt8.min...UInt8.max {
                        memory[offset + place] = byte
                        let expected = Self.lowercased(byte) == lower[place]
                        guard Self.isName(memory, offset, end, literal) == expected else {
                            Issue.record("\(literal) with \(byte) at \(place)")
                            return
                        }
                    }
                    memory[offset + place] = text[place]
                }
            }
        }
    }

    // MARK: - Words

    @Test("eight bytes are made lower-case as one by one, whatever the others are")
    func asciiLowercased() {
        func check(_ bytes: [UInt8]) -> Bool {
            let expected = bytes.map(Self.lowercased)
            return bytes.span.bytes.word(0).asciiLowercased == expected.span.bytes.word(0)
        }
        for byte in UInt8.min...UInt8.max {
            #expect(byte.asciiLowercased == Self.lowercased(byte))
            for place in 0..<8 {
                for filler in [0x00, 0x40, 0x41, 0x5A, 0x5B, 0x7F, 0x80, 0xC1, 0xFF] as [UInt8] {
                    var bytes = [UInt8](repeating: filler, count: 8)
                    bytes[place] = byte
                    guard check(bytes) else {
                        Issue.record("\(byte) at \(place) among \(filler)")
                        return
                    }
                }
            }
        }
        var numbers = SeededNumbers(seed: 2)
        for _ in 0..<50_000 {
            let bytes = (0..<8).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            guard check(bytes) else {
                Issue.record("\(bytes)")
                return
            }
        }
    }

    @Test("a number has sixteen hexadecimal digits, the highest first, behind what is there")
    func hex() {
        func check(_ number: UInt64) -> Bool {
            var output = Array("id=".utf8)
            output.append(hex: number)
            var template = Array("id=................;".utf8)
            template.set(hex: number, at: 3)
            let digits = String(number, radix: 16)
            let expected = "id=" + String(repeating: "0", count: 16 - digits.utf8.count) + digits
            return String(decoding: output, as: UTF8.self) == expected
                && String(decoding: template, as: UTF8.self) == expected + ";"
        }
        for place in 0..<16 {
            for digit in 0..<16 as Range<UInt64> {
                for filler in [0, 0x9999_9999_9999_9999, 0xAAAA_AAAA_AAAA_AAAA, UInt64.max] {
                    let shift = UInt64(place * 4)
                    #expect(check(filler & ~(0xF << shift) | digit << shift), "\(digit) at \(place) of \(filler)")
                }
            }
        }
        var numbers = SeededNumbers(seed: 3)
        for _ in 0..<20_000 {
            let number = numbers.next()
            guard check(number) else {
                Issue.record("\(number)")
                return
            }
        }
    }
}
