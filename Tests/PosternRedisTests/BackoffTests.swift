import NIOCore
import Testing

@testable import PosternRedis

@Suite struct BackoffTests {
    @Test func pausesDoubleUpToTheLimit() {
        var backoff = Backoff()
        let pauses = (0..<8).map { _ in backoff.next(random: 0).nanoseconds / 1_000_000 }
        #expect(pauses == [50, 100, 200, 400, 800, 1600, 2000, 2000])
    }

    @Test func chanceTakesUpToHalf() {
        var backoff = Backoff()
        #expect(backoff.next(random: 0.5) == .microseconds(37_500))
        #expect(backoff.next(random: 1) == .milliseconds(50))
    }

    @Test func itBeginsAnew() {
        var backoff = Backoff()
        for _ in 0..<100 { _ = backoff.next(random: 0) }
        #expect(backoff.next(random: 0) == Backoff.limit)
        backoff.reset()
        #expect(backoff.next(random: 0) == Backoff.base)
    }
}
