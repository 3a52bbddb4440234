import Testing

@testable import PosternCore

/// The searches that read many bytes a step, against reading one by one. Each span has bytes before the start and after
/// the end, so that a step may reach over them; what they are must not matter.
@Suite struct CharacterClassTests {
    private static let longest = 70
    /// Neighbours of the limits of each class, where a carry from one byte into the next would show.
    private static let limits =
        Array("\u{1F} \u{7F},-./:;0?9@AZ[^`az{~_\t\r".utf8) + [0x00, 0x80, 0x81, 0xA0, 0xFE, 0xFF]

    private typealias Search = ([UInt8], Range<Int>) -> Int

    private static func control(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        firstControl(bytes.span.bytes, from: range.lowerBound, to: range.upperBound)
    }

    private static func token(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        endOfToken(bytes.span.bytes, from: range.lowerBound, to: range.upperBound)
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    private static let tokenCharacters = Set(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// The first byte in `range` that meets the condition, or the range's end.
    private static func naive(_ bytes: [UInt8], _ range: Range<Int>, _ condition: (UInt8) -> Bool) -> Int {
        for i in range where condition(bytes[i]) { return i }
        return range.upperBound
    }

    @Test("every byte is in the class that the grammar gives it")
    func classes() {
        let host = Set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(isTokenCharacter(byte) == Self.tokenCharacters.contains(byte), "\(byte)")
            #expect(isHostCharacter(byte) == host.contains(byte), "\(byte)")
            #expect(byte.isTokenCharacter == Self.tokenCharacters.contains(byte), "\(byte)")
        }
    }

    /// Puts every byte at every place among bytes that stop nothing: alone, between bytes that would stop the search, and
    /// between bytes that would not.
    private func everyByteAtEveryPlace(
        _ count: Int, _ search: Search, fillers: [UInt8], stopper: UInt8, stops: (UInt8) -> Bool
    ) {
        let all = Array(UInt8.min...UInt8.max)
        let stopping = all.map(stops)
        let margin = 1 + count % 40
        for (filler, outside, margin, candidates) in [
            (fillers[0], stopper, 0, all), (fillers[0], stopper, margin, all),
            (fillers[1], stopper, margin, Self.limits), (fillers[1], fillers[0], margin, Self.limits),
        ] {
            let side = [UInt8](repeating: outside, count: margin)
            var bytes = side + [UInt8](repeating: filler, count: count) + side
            let range = margin..<(margin + count)
            #expect(search(bytes, range) == range.upperBound, "stopped among \(filler), \(outside)")
            for place in range {
                for byte in candidates {
                    bytes[place] = byte
                    let found = search(bytes, range)
                    guard found == (stopping[Int(byte)] ? place : range.upperBound) else {
                        Issue.record("\(byte) at \(place) of \(range) among \(filler), \(outside): \(found)")
                        return
                    }
                }
                bytes[place] = filler
            }
        }
    }

    @Test("a control character is found at every place, and no other byte is", arguments: 0...longest)
    func controls(_ count: Int) {
        self.everyByteAtEveryPlace(
            count, Self.control, fillers: [UInt8(ascii: "a"), 0xFF], stopper: 0, stops: Self.isControl)
    }

    @Test("the end of a name is found at every place, and at no byte of a name", arguments: 0...longest)
    func tokens(_ count: Int) {
        self.everyByteAtEveryPlace(
            count, Self.token, fillers: [UInt8(ascii: "a"), UInt8(ascii: "~")], stopper: UInt8(ascii: ":"),
            stops: { !Self.tokenCharacters.contains($0) })
    }

    @Test("any bytes in any range, 40,000 times", arguments: 1...4)
    func anyBytes(_ seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let common = Array("Content-Type0".utf8)
        for _ in 0..<10_000 {
            let rarity = Int.random(in: 1...60, using: &numbers)
            let bytes = (0..<Int.random(in: 0...120, using: &numbers)).map { _ in
                Int.random(in: 0..<rarity, using: &numbers) == 0
                    ? numbers.pick([numbers.pick(Self.limits), UInt8.random(in: 0...255, using: &numbers)])
                    : numbers.pick(common)
            }
            let ends = [
                Int.random(in: 0...bytes.count, using: &numbers), Int.random(in: 0...bytes.count, using: &numbers),
            ]
            let range = ends[0] < ends[1] ? ends[0]..<ends[1] : ends[1]..<ends[0]
            let control = Self.control(bytes, range)
            let token = Self.token(bytes, range)
            guard control == Self.naive(bytes, range, Self.isControl),
                token == Self.naive(bytes, range, { !Self.tokenCharacters.contains($0) })
            else {
                Issue.record("\(bytes) in \(range): \(control), \(token)")
                return
            }
        }
    }
}
