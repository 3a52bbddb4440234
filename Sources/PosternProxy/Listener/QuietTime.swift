/// Notices that a process which was busy has become quiet: a machine without a clock, told of both times now and then.
struct QuietTime {
    /// Nanoseconds that have to be quiet.
    static let length: Int64 = 30_000_000_000
    /// Nanoseconds of processor time in so long that still count as quiet: health checks and a scrape or two.
    static let allowance: Int64 = 50_000_000
    /// Nanoseconds of processor time after which there is something to notice at all.
    static let threshold: Int64 = 5_000_000

    /// When the present stretch of time began, and the processor time used until then.
    private var begin: (now: Int64, used: Int64)
    /// The processor time used when quiet was noticed last.
    private var noticed: Int64

    /// - Parameters:
    ///   - now: nanoseconds of a monotonic clock.
    ///   - used: nanoseconds of processor time that the process has used.
    init(now: Int64, used: Int64) {
        self.begin = (now, used)
        self.noticed = used
    }

    /// Time has passed. Returns true once when quiet has followed on something.
    mutating func passed(now: Int64, used: Int64) -> Bool {
        if used - self.begin.used > Self.allowance { self.begin = (now, used) }
        guard now - self.begin.now >= Self.length else { return false }
        self.begin = (now, used)
        guard used - self.noticed > Self.threshold else { return false }
        self.noticed = used
        return true
    }
}
