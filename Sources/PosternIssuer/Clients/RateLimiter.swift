import Synchronization

/// Counts token requests per client in two windows, of a minute and of an hour, in this process. A window begins with the
/// first request after the last one ended; a refused request is not counted. Only authenticated clients are counted, so
/// the table is never larger than the number of clients, and nobody can use up another's share.
final class RateLimiter: Sendable {
    private struct Window {
        var start: Double
        var count: Int

        static let none = Window(start: -.infinity, count: 0)

        /// Begins anew when `length` seconds have passed, or when the clock was set back.
        mutating func advance(to now: Double, length: Double) {
            if now >= self.start + length || now < self.start { self = Window(start: now, count: 0) }
        }
    }

    private static let minute = 60.0
    private static let hour = 3600.0

    private let windows = Mutex<[String: (minute: Window, hour: Window)]>([:])

    /// Counts one request at `now` (Unix seconds). Nil if it may go on, else the whole seconds after which it may.
    func take(_ clientID: String, limits: RateLimits, now: Double) -> Int? {
        self.windows.withLock { windows in
            var (minute, hour) = windows[clientID] ?? (.none, .none)
            minute.advance(to: now, length: Self.minute)
            hour.advance(to: now, length: Self.hour)
            defer { windows[clientID] = (minute, hour) }
            var wait = 0.0
            if minute.count >= limits.perMinute { wait = minute.start + Self.minute - now }
            if hour.count >= limits.perHour { wait = max(wait, hour.start + Self.hour - now) }
            if wait > 0 { return max(1, Int(wait.rounded(.up))) }
            minute.count += 1
            hour.count += 1
            return nil
        }
    }
}
