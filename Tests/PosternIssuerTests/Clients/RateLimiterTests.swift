import Testing

@testable import PosternIssuer

@Suite struct RateLimiterTests {
    private let limits = RateLimits(perMinute: 3, perHour: 5)

    @Test("The minute's limit refuses the next request and says when the window ends")
    func minute() {
        let limiter = RateLimiter()
        for _ in 0..<3 { #expect(limiter.take("a", limits: self.limits, now: 1000) == nil) }
        #expect(limiter.take("a", limits: self.limits, now: 1000) == 60)
        #expect(limiter.take("a", limits: self.limits, now: 1030.5) == 30)
        #expect(limiter.take("a", limits: self.limits, now: 1059.9) == 1)
        #expect(limiter.take("a", limits: self.limits, now: 1060) == nil)
    }

    @Test("The hour's limit holds across minutes, and refused requests are not counted")
    func hour() {
        let limiter = RateLimiter()
        for now in [0.0, 0, 0, 0, 0, 60, 60] { _ = limiter.take("a", limits: self.limits, now: now) }
        #expect(limiter.take("a", limits: self.limits, now: 60) == 3540)
        #expect(limiter.take("a", limits: self.limits, now: 3599) == 1)
        #expect(limiter.take("a", limits: self.limits, now: 3600) == nil)
    }

    @Test("One client's requests do not count against another")
    func separate() {
        let limiter = RateLimiter()
        for _ in 0..<4 { _ = limiter.take("a", limits: self.limits, now: 0) }
        #expect(limiter.take("a", limits: self.limits, now: 0) != nil)
        #expect(limiter.take("b", limits: self.limits, now: 0) == nil)
    }

    @Test("A clock that is set back begins a new window instead of waiting for the old one")
    func clockSetBack() {
        let limiter = RateLimiter()
        for _ in 0..<4 { _ = limiter.take("a", limits: self.limits, now: 1_000_000) }
        #expect(limiter.take("a", limits: self.limits, now: 5) == nil)
    }
}
