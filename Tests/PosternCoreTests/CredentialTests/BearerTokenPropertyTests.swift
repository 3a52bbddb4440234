import Testing

@testable import PosternCore

/// `BearerToken.isValid`, which reads up to 32 bytes a step, against the grammar read one by one.
@Suite struct BearerTokenPropertyTests {
    private static let longest = 70
    /// Neighbours of the limits of the grammar's ranges.
    private static let limits = Array("@AZ[`az{+,-./09:^_~=} \u{7F}".utf8) + [0x00, 0x80, 0xAD, 0xE1, 0xFF]
    private static let grammar = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/".utf8)
    /// Whether a byte is in the grammar, by the byte.
    private static let isInGrammar = (UInt8.min...UInt8.max).map { Self.grammar.contains($0) }

    /// RFC 6750 section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
    private static func naive(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        var i = range.lowerBound
        while i < range.upperBound, Self.isInGrammar[Int(bytes[i])] { i += 1 }
        guard i > range.lowerBound else { return false }
        while i < range.upperBound, bytes[i] == UInt8(ascii: "=") { i += 1 }
        return i == range.upperBound
    }

    private static func agrees(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        BearerToken.isValid(bytes.span.bytes, ByteRange(range.lowerBound, range.upperBound)) == Self.naive(bytes, range)
    }

    @Test("every byte at every place of a token, whatever stands around it", arguments: 0...longest)
    func everyByteAtEveryPlace(_ count: Int) {
        let all = Array(UInt8.min...UInt8.max)
        for (filler, outside, margin, candidates) in [
            ("a", ",", 9, all), ("Z", "a", 33, Self.limits), ("~", " ", 0, Self.limits), ("_", "=", 8, Self.limits),
        ] as [(Unicode.Scalar, Unicode.Scalar, Int, [UInt8])] {
            let side = [UInt8](repeating: UInt8(ascii: outside), count: margin)
            let range = margin..<(margin + count)
            var bytes = side + [UInt8](repeating: UInt8(ascii: filler), count: count) + side
            #expect(Self.agrees(bytes, range))
            for place in range {
                for byte in candidates {
                    bytes[place] = byte
                    guard Self.agrees(bytes, range) else {
                        Issue.record("\(byte) at \(place) of \(range) among \(filler), \(outside)")
                        return
                    }
                }
                bytes[place] = UInt8(ascii: filler)
            }
        }
    }

    @Test("padding of any length, at the end and inside", arguments: 0...longest)
    func padding(_ count: Int) {
        for padded in 0...count {
            for other in ["a", ",", "~"] as [Unicode.Scalar] {
                let start = [UInt8](repeating: UInt8(ascii: other), count: count - padded)
                let bytes = start + [UInt8](repeating: UInt8(ascii: "="), count: padded)
                #expect(Self.agrees(bytes + Array("=a".utf8), 0..<count))
                #expect(Self.agrees(bytes + [UInt8(ascii: "a")], 0..<(count + 1)))
            }
        }
    }

    @Test("any bytes in any range", arguments: 1...4)
    func anyBytes(_ seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let common = Self.grammar
        var valid = 0
        for _ in 0..<10_000 {
            let rarity = Int.random(in: 1...150, using: &numbers)
            let bytes = (0..<Int.random(in: 1...150, using: &numbers)).map { _ in
                Int.random(in: 0..<rarity, using: &numbers) == 0
                    ? numbers.pick([numbers.pick(Self.limits), UInt8.random(in: 0...255, using: &numbers)])
                    : numbers.pick(common)
            }
            let start = Int.random(in: 0...bytes.count, using: &numbers)
            let range = start..<Int.random(in: start...bytes.count, using: &numbers)
            guard Self.agrees(bytes, range) else {
                Issue.record("\(bytes) in \(range)")
                return
            }
            if Self.naive(bytes, range) { valid += 1 }
        }
        #expect(valid > 1_000 && valid < 9_000, "\(valid)")
    }
}
