import PosternCore
import Testing

@Suite("Token cache")
struct TokenCacheTests {
    final class Value: Sendable {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    private func token(_ number: Int, length: Int = 100) -> [UInt8] {
        let text = Array("\(number).".utf8)
        return text + [UInt8](repeating: UInt8(ascii: "x"), count: max(length - text.count, 0))
    }

    private func look(_ cache: inout TokenCache<Value>, _ token: [UInt8]) -> Int? {
        cache.lookup(token.span.bytes)?.number
    }

    @Test func emptyCacheKnowsNothing() {
        var cache = TokenCache<Value>(seed: (1, 2))
        #expect(self.look(&cache, self.token(1)) == nil)
        #expect(self.look(&cache, []) == nil)
        #expect(cache.count == 0)
        #expect(cache.byteCount == 0)
    }

    @Test func tokenIsFoundByExactlyItsBytes() {
        var cache = TokenCache<Value>(seed: (1, 2))
        for length in [0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 128, 800, 8192] {
            let token = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            cache.insert(token: token, value: Value(length))
            #expect(self.look(&cache, token) == length)
            #expect(self.look(&cache, token + [0]) == nil)
            for index in stride(from: 0, to: length, by: max(length / 50, 1)) {
                var other = token
                other[index] ^= 1
                #expect(self.look(&cache, other) == nil, "length \(length), byte \(index)")
            }
        }
        #expect(cache.count == 14)
    }

    @Test func insertingAgainReplacesTheValue() {
        var cache = TokenCache<Value>(seed: (1, 2))
        cache.insert(token: self.token(1), value: Value(1))
        cache.insert(token: self.token(1), value: Value(2))
        #expect(self.look(&cache, self.token(1)) == 2)
        #expect(cache.count == 1)
        #expect(cache.byteCount == 100)
    }

    @Test func oneTokenIsForgottenAndItsPlaceUsedAgain() {
        var cache = TokenCache<Value>(capacity: 64, seed: (1, 2))
        cache.remove(self.token(1).span.bytes)
        for number in 0..<40 { cache.insert(token: self.token(number), value: Value(number)) }
        let held = (0..<40).filter { self.look(&cache, self.token($0)) != nil }
        for number in held where number % 2 == 0 {
            cache.remove(self.token(number).span.bytes)
            cache.remove(self.token(number).span.bytes)
        }
        for number in held { #expect(self.look(&cache, self.token(number)) == (number % 2 == 0 ? nil : number)) }
        #expect(cache.count == held.count { $0 % 2 == 1 })
        #expect(cache.byteCount == 100 * cache.count)
        for number in held { cache.insert(token: self.token(number), value: Value(number + 1000)) }
        for number in held { #expect(self.look(&cache, self.token(number)) == number + 1000) }
        #expect(cache.count == held.count)
    }

    @Test func everythingFitsUntilTheTableIsFarFromEmpty() {
        var cache = TokenCache<Value>(capacity: 1024, seed: (3, 4))
        for number in 0..<300 { cache.insert(token: self.token(number), value: Value(number)) }
        #expect(cache.count == 300)
        for number in 0..<300 { #expect(self.look(&cache, self.token(number)) == number) }
        #expect(cache.capacity == 1024)
    }

    @Test(arguments: [(0, 8), (1, 8), (8, 8), (9, 16), (10_000, 16_384), (-5, 8)])
    func capacityIsAPowerOfTwo(_ wanted: Int, _ capacity: Int) {
        #expect(TokenCache<Value>(capacity: wanted, seed: (1, 2)).capacity == capacity)
    }

    @Test func cacheIsBoundedAndWhatItHoldsIsRight() {
        var cache = TokenCache<Value>(capacity: 64, seed: (5, 6))
        for number in 0..<10_000 {
            cache.insert(token: self.token(number), value: Value(number))
            #expect(self.look(&cache, self.token(number)) == number)
            #expect(cache.count <= 64)
            #expect(cache.byteCount == cache.count * 100)
        }
        let held = (0..<10_000).filter { self.look(&cache, self.token($0)) != nil }
        #expect(held.count == cache.count)
        #expect(held.count > 48)
        for number in held { #expect(self.look(&cache, self.token(number)) == number) }
    }

    @Test func tokenInUseOutlivesAFloodOfOthers() {
        var cache = TokenCache<Value>(capacity: 64, seed: (7, 8))
        cache.insert(token: self.token(-1), value: Value(-1))
        for number in 0..<5000 {
            #expect(self.look(&cache, self.token(-1)) == -1, "after \(number) others")
            cache.insert(token: self.token(number), value: Value(number))
        }
    }

    @Test func bytesAreBounded() {
        var cache = TokenCache<Value>(capacity: 1024, byteLimit: 1000, seed: (9, 10))
        for number in 0..<200 {
            cache.insert(token: self.token(number, length: 90 + number % 50), value: Value(number))
            #expect(cache.byteCount <= 1000)
            #expect(self.look(&cache, self.token(number, length: 90 + number % 50)) == number)
        }
        #expect(cache.count >= 7)
        // Longer than all there is room for: not kept, and nothing is given up for it.
        let before = cache.count
        cache.insert(token: self.token(1, length: 1001), value: Value(1))
        #expect(self.look(&cache, self.token(1, length: 1001)) == nil)
        #expect(cache.count == before)
        cache.insert(token: self.token(2, length: 1000), value: Value(2))
        #expect(cache.count == 1)
    }

    @Test func removingLeavesTheRest() {
        var cache = TokenCache<Value>(capacity: 256, seed: (11, 12))
        for number in 0..<100 { cache.insert(token: self.token(number), value: Value(number)) }
        cache.removeAll { $0.number % 3 == 0 }
        #expect(cache.count == 66)
        #expect(cache.byteCount == 6600)
        for number in 0..<100 {
            #expect(self.look(&cache, self.token(number)) == (number % 3 == 0 ? nil : number))
        }
        for number in 200..<230 { cache.insert(token: self.token(number), value: Value(number)) }
        for number in 200..<230 { #expect(self.look(&cache, self.token(number)) == number) }
        cache.removeAll()
        #expect(cache.count == 0)
        #expect(cache.byteCount == 0)
        #expect(self.look(&cache, self.token(1)) == nil)
        cache.insert(token: self.token(1), value: Value(1))
        #expect(self.look(&cache, self.token(1)) == 1)
    }

    @Test func valuesOfForgottenTokensAreReleased() {
        var cache = TokenCache<Value>(capacity: 8, seed: (13, 14))
        weak var first: Value?
        do {
            let value = Value(0)
            first = value
            cache.insert(token: self.token(0), value: value)
        }
        #expect(first != nil)
        for number in 1..<200 { cache.insert(token: self.token(number), value: Value(number)) }
        #expect(first == nil)
    }

    @Test func randomUseAgreesWithADictionary() {
        var generator = TokenTestGenerator(state: 99)
        var cache = TokenCache<Value>(capacity: 128, seed: (generator.next(), generator.next()))
        var model: [Int: Int] = [:]
        for step in 0..<20_000 {
            let number = Int.random(in: 0..<400, using: &generator)
            switch Int.random(in: 0..<100, using: &generator) {
            case 0:
                cache.removeAll { $0.number % 2 == 0 }
                model = model.filter { $0.value % 2 != 0 }
            case 1..<40:
                cache.insert(token: self.token(number), value: Value(step))
                model[number] = step
            default:
                // The cache may have forgotten, but never holds another value.
                if let found = self.look(&cache, self.token(number)) { #expect(found == model[number]) }
            }
        }
    }
}
