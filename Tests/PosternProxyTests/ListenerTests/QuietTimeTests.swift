import Testing

@testable import PosternProxy

@Suite("Quiet time")
struct QuietTimeTests {
    private static let second: Int64 = 1_000_000_000
    private static let millisecond: Int64 = 1_000_000

    /// Tells `quiet` of `seconds` seconds in which so much processor time was used each; returns when it was noticed.
    private func pass(_ quiet: inout QuietTime, from start: Int64, seconds: Int64, each: Int64, used: inout Int64)
        -> [Int64]
    {
        var noticed: [Int64] = []
        for second in (start + 1)...(start + seconds) {
            used += each
            if quiet.passed(now: second * Self.second, used: used) { noticed.append(second) }
        }
        return noticed
    }

    @Test("work and then thirty quiet seconds are noticed once")
    func noticedOnce() {
        var used: Int64 = 0
        var quiet = QuietTime(now: 0, used: 0)
        #expect(pass(&quiet, from: 0, seconds: 10, each: 100 * Self.millisecond, used: &used).isEmpty)
        #expect(pass(&quiet, from: 10, seconds: 100, each: 0, used: &used) == [40])
    }

    @Test("nothing is noticed where nothing was done")
    func nothing() {
        var used: Int64 = 0
        var quiet = QuietTime(now: 0, used: 0)
        #expect(pass(&quiet, from: 0, seconds: 200, each: Self.millisecond / 100, used: &used).isEmpty)
    }

    @Test("a process that is never quiet is never interrupted")
    func busy() {
        var used: Int64 = 0
        var quiet = QuietTime(now: 0, used: 0)
        #expect(pass(&quiet, from: 0, seconds: 300, each: 3 * Self.millisecond, used: &used).isEmpty)
    }

    @Test("a scrape every fifteen seconds is quiet, and noticed no more than every thirty")
    func scraped() {
        var used: Int64 = 0
        var quiet = QuietTime(now: 0, used: 0)
        var noticed: [Int64] = []
        for second in Int64(1)...120 {
            if second % 15 == 0 { used += 6 * Self.millisecond }
            if quiet.passed(now: second * Self.second, used: used) { noticed.append(second) }
        }
        #expect(noticed == [30, 60, 90, 120])
    }
}
