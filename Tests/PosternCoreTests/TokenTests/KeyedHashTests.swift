import Testing

@testable import PosternCore

extension KeyedHash {
    fileprivate func tag(of text: [UInt8]) -> UInt64 { self.tag(of: text.span.bytes) }
}

extension TokenCache {
    fileprivate mutating func lookup(_ token: [UInt8]) -> Value? { self.lookup(token.span.bytes) }
}

@Suite struct KeyedHashTests {
    private static func bytes(_ count: Int, _ numbers: inout SeededNumbers) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
    }

    @Test("equal bytes have equal tags wherever they stand; no tag is zero, which means a free slot")
    func equalBytes() {
        var numbers = SeededNumbers(seed: 1)
        // The third seed makes both words of the key zero, where multiplying by them gives nothing but zeros.
        for seed in [(1, 2), (0, 0), (0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03), (.max, .max)] as [(UInt64, UInt64)]
        {
            let hash = KeyedHash(seed: seed)
            for count in 0...200 {
                for text in [Self.bytes(count, &numbers), [UInt8](repeating: 0, count: count)] {
                    let tag = hash.tag(of: text)
                    #expect(tag != 0)
                    #expect(KeyedHash(seed: seed).tag(of: text) == tag)
                    for offset in 1...9 {
                        let memory = Self.bytes(offset, &numbers) + text + Self.bytes(20, &numbers)
                        let slice = memory.span.bytes.slice(ByteRange(offset, offset + count))
                        guard hash.tag(of: slice) == tag else {
                            Issue.record("\(count) bytes at offset \(offset)")
                            return
                        }
                    }
                }
            }
        }
    }

    @Test("every byte changes the tag, so does the length, so does the seed")
    func reach() {
        var numbers = SeededNumbers(seed: 2)
        let hash = KeyedHash(seed: (1, 2))
        for count in 1...200 {
            let text = Self.bytes(count, &numbers)
            let tag = hash.tag(of: text)
            for place in 0..<count {
                var other = text
                other[place] ^= UInt8.random(in: 1...255, using: &numbers)
                guard hash.tag(of: other) != tag else {
                    Issue.record("byte \(place) of \(count)")
                    return
                }
            }
            #expect(hash.tag(of: [0] + text) != tag)
            #expect(KeyedHash(seed: (1, 3)).tag(of: text) != tag)
            #expect(KeyedHash(seed: (2, 2)).tag(of: text) != tag)
        }
    }

    @Test("10,000 tokens that differ in their last bytes alone have 10,000 tags and come to all sets")
    func spread() {
        let hash = KeyedHash(seed: (7, 8))
        let start = String(repeating: "k", count: 300)
        var tags: Set<UInt64> = []
        var sets = [Int](repeating: 0, count: 128)
        for number in 0..<10_000 {
            let text = Array("\(start)\(number)".utf8)
            let tag = hash.tag(of: text)
            tags.insert(tag)
            sets[Int(tag >> 3 & 127)] += 1
        }
        #expect(tags.count == 10_000)
        // 78 each on the average, give or take 9.
        #expect(sets.allSatisfy { $0 > 30 && $0 < 140 }, "\(sets)")
    }

    // MARK: - The cache on top of it, which compares whole tokens

    @Test(
        "two tokens that differ in one byte are never taken for each other",
        arguments: [1, 8, 63, 64, 65, 72, 129, 300, 700])
    func oneByteApart(_ count: Int) {
        var numbers = SeededNumbers(seed: UInt64(count))
        let token = Self.bytes(count, &numbers)
        var alone = TokenCache<Int>(seed: (1, 2))
        alone.insert(token: token, value: -1)
        for place in 0..<count {
            var other = token
            other[place] ^= UInt8.random(in: 1...255, using: &numbers)
            guard alone.lookup(other) == nil else {
                Issue.record("byte \(place) of \(count) does not count")
                return
            }
            var both = TokenCache<Int>(seed: (1, 2))
            both.insert(token: token, value: 1)
            both.insert(token: other, value: 2)
            #expect(both.count == 2)
            #expect(
                both.lookup(token) == 1 && both.lookup(other) == 2, "byte \(place) of \(count)")
        }
        #expect(alone.lookup(token) == -1)
    }
}
