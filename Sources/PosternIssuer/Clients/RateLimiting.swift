/// How often something may be done, counted per key: by one process, or by all that share a Redis.
///
/// Every window begins with the first request after the last one ended, and a refused request is not counted. Where the
/// clock is behind a window's start by less than its length (another process began it, and its clock is ahead), the
/// window goes on; by more (the clock was set back), a new one begins.
protocol RateLimiting: Sendable {
    /// Counts one at `now` (Unix seconds), if every window allows it. Nil if it may go on, else the whole seconds after
    /// which it may.
    func take(_ key: String, windows: [RateWindow], now: Double) async -> Int?
    /// The same without counting: for what is counted only once it is known to have failed.
    func wait(for key: String, windows: [RateWindow], now: Double) async -> Int?
}

extension RateLimiting {
    /// Counts one token request of a client.
    func take(_ key: String, limits: RateLimits, now: Double) async -> Int? {
        await self.take(key, windows: limits.windows, now: now)
    }
}

/// At most so many within so long.
struct RateWindow: Equatable, Sendable {
    var most: Int
    /// Seconds. A key has one window of each length.
    var length: Int
}

extension RateLimits {
    /// The minute and the hour.
    var windows: [RateWindow] {
        [RateWindow(most: self.perMinute, length: 60), RateWindow(most: self.perHour, length: 3600)]
    }
}
