import Testing

@testable import PosternIssuer

@Suite struct RateLimiterTests {
    private let limits = RateLimits(perMinute: 3, perHour: 5)

    @Test("The minute's limit refuses the next request and says when the window ends")
    func minute() async {
        let limiter = RateLimiter()
        for _ in 0..<3 { #expect(await limiter.take("a", limits: self.limits, now: 1000) == nil) }
        #expect(await limiter.take("a", limits: self.limits, now: 1000) == 60)
        #expect(await limiter.take("a", limits: self.limits, now: 1030.5) == 30)
        #expect(await limiter.take("a", limits: self.limits, now: 1059.9) == 1)
        #expect(await limiter.take("a", limits: self.limits, now: 1060) == nil)
    }

    @Test("The hour's limit holds across minutes, and refused requests are not counted")
    func hour() async {
        let limiter = RateLimiter()
        for now in [0.0, 0, 0, 0, 0, 60, 60] { _ = await limiter.take("a", limits: self.limits, now: now) }
        #expect(await limiter.take("a", limits: self.limits, now: 60) == 3540)
        #expect(await limiter.take("a", limits: self.limits, now: 3599) == 1)
        #expect(await limiter.take("a", limits: self.limits, now: 3600) == nil)
    }

    @Test("One client's requests do not count against another")
    func separate() async {
        let limiter = RateLimiter()
        for _ in 0..<4 { _ = await limiter.take("a", limits: self.limits, now: 0) }
        #expect(await limiter.take("a", limits: self.limits, now: 0) != nil)
        #expect(await limiter.take("b", limits: self.limits, now: 0) == nil)
    }

    @Test("A clock that is set back begins a new window instead of waiting for the old one")
    func clockSetBack() async {
        let limiter = RateLimiter()
        for _ in 0..<4 { _ = await limiter.take("a", limits: self.limits, now: 1_000_000) }
        #expect(await limiter.take("a", limits: self.limits, now: 5) == nil)
    }

    @Test("A clock that is a little behind does not begin a new window")
    func clockBehind() async {
        let limiter = RateLimiter()
        for _ in 0..<3 { _ = await limiter.take("a", limits: self.limits, now: 1000) }
        #expect(await limiter.take("a", limits: self.limits, now: 999.5) == 61)
    }

    @Test("Asking does not count, and says the same as counting would")
    func wait() {
        let limiter = RateLimiter()
        let windows = [RateWindow(most: 2, length: 900)]
        for _ in 0..<5 { #expect(limiter.wait(for: "a", windows: windows, now: 0) == nil) }
        for _ in 0..<2 { #expect(limiter.take("a", windows: windows, now: 0) == nil) }
        #expect(limiter.wait(for: "a", windows: windows, now: 100) == 800)
        #expect(limiter.take("a", windows: windows, now: 100) == 800)
        #expect(limiter.wait(for: "a", windows: windows, now: 900) == nil)
    }

    @Test("Limits that change apply to what was counted already")
    func changedLimits() {
        let limiter = RateLimiter()
        for _ in 0..<3 { _ = limiter.take("a", windows: [RateWindow(most: 9, length: 60)], now: 0) }
        #expect(limiter.take("a", windows: [RateWindow(most: 3, length: 60)], now: 0) == 60)
        #expect(limiter.take("a", windows: [RateWindow(most: 4, length: 60)], now: 0) == nil)
    }

    @Test("The table stays within its bounds: what is over leaves first, then what began first")
    func bounded() {
        let limiter = RateLimiter(capacity: 4)
        let windows = [RateWindow(most: 1, length: 60)]
        for key in 0..<4 { _ = limiter.take("\(key)", windows: windows, now: Double(key)) }
        _ = limiter.take("late", windows: windows, now: 61.5)
        // 0 and 1 were over, 2 and 3 are not.
        #expect(limiter.count == 3)
        #expect(limiter.take("2", windows: windows, now: 61.5) != nil)
        for key in 4..<40 { _ = limiter.take("\(key)", windows: windows, now: 61.6) }
        #expect(limiter.count <= 4)
        #expect(limiter.take("39", windows: windows, now: 61.6) != nil)
    }
}
