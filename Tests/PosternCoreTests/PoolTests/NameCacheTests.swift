import PosternCore
import Testing

@Suite struct NameCacheTests {
    private typealias Cache = NameCache<String, Int>

    @Test("the first who asks has the name looked up, others wait for the same answer")
    func oneLookUp() {
        var cache = Cache()
        #expect(cache.wanted(by: 1, maxAge: 10, now: 0) == .lookUp)
        #expect(cache.wanted(by: 2, maxAge: 10, now: 1) == .wait)
        #expect(cache.wanted(by: 3, maxAge: 0, now: 2) == .wait)
        #expect(cache.found(["a"], now: 5) == [1, 2, 3])
        #expect(cache.wanted(by: 4, maxAge: 10, now: 15) == .answer(["a"]))
    }

    @Test("an answer is as good as it is young enough for who asks")
    func age() {
        var cache = Cache()
        _ = cache.wanted(by: 1, maxAge: 10, now: 0)
        _ = cache.found(["a"], now: 0)
        #expect(cache.wanted(by: 2, maxAge: 10, now: 10) == .answer(["a"]))
        #expect(cache.wanted(by: 3, maxAge: 9, now: 10) == .lookUp)
        #expect(cache.found(["b"], now: 12) == [3])
        #expect(cache.wanted(by: 4, maxAge: 0, now: 12) == .answer(["b"]))
    }

    @Test("a look-up that fails tells all who wait, and the next who asks tries again")
    func failure() {
        var cache = Cache()
        _ = cache.wanted(by: 1, maxAge: 10, now: 0)
        _ = cache.wanted(by: 2, maxAge: 10, now: 0)
        #expect(cache.failed() == [1, 2])
        #expect(cache.failed() == [])
        #expect(cache.wanted(by: 3, maxAge: 1_000, now: 1) == .lookUp)
    }

    @Test("an answer that is not trusted any more is not given")
    func distrust() {
        var cache = Cache()
        _ = cache.wanted(by: 1, maxAge: 10, now: 0)
        _ = cache.found(["a"], now: 0)
        cache.distrust()
        #expect(cache.wanted(by: 2, maxAge: 10, now: 1) == .lookUp)
        cache.distrust()
        #expect(cache.wanted(by: 3, maxAge: 10, now: 1) == .wait, "the one under way is not repeated")
        #expect(cache.found(["b"], now: 2) == [2, 3])
    }
}
