import Synchronization

/// Counts in this process.
///
/// The table is bounded, because keys may be what strangers sent (names at the login): when it is full, what is over
/// leaves it, and if that is less than half, what began first.
final class RateLimiter: RateLimiting {
    private struct Window {
        var start: Double
        var count: Int
        let length: Double

        mutating func advance(to now: Double) {
            if self.isOver(at: now) { (self.start, self.count) = (now, 0) }
        }

        /// Also when the clock was set back.
        func isOver(at now: Double) -> Bool {
            now >= self.start + self.length || now < self.start - self.length
        }
    }

    private let capacity: Int
    private let table = Mutex<[String: [Window]]>([:])

    /// - Parameter capacity: The number of keys that are counted at the same time, at least 2.
    init(capacity: Int = 65_536) {
        self.capacity = max(2, capacity)
    }

    /// The number of keys that are kept.
    var count: Int { self.table.withLock(\.count) }

    func take(_ key: String, windows: [RateWindow], now: Double) -> Int? {
        self.look(key, windows, now: now, counts: true)
    }

    func wait(for key: String, windows: [RateWindow], now: Double) -> Int? {
        self.look(key, windows, now: now, counts: false)
    }

    private func look(_ key: String, _ limits: [RateWindow], now: Double, counts: Bool) -> Int? {
        self.table.withLock { table in
            let known = table[key] ?? []
            var wait = 0.0
            var windows: [Window] = []
            for limit in limits {
                let length = Double(limit.length)
                var window = known.first { $0.length == length } ?? Window(start: now, count: 0, length: length)
                window.advance(to: now)
                if window.count >= limit.most { wait = max(wait, window.start + length - now) }
                window.count += 1
                windows.append(window)
            }
            if wait > 0 { return max(1, Int(wait.rounded(.up))) }
            guard counts else { return nil }
            if known.isEmpty, table.count >= self.capacity { self.makeRoom(in: &table, now: now) }
            table[key] = windows
            return nil
        }
    }

    private func makeRoom(in table: inout [String: [Window]], now: Double) {
        table = table.filter { $0.value.contains { !$0.isOver(at: now) } }
        guard table.count > self.capacity / 2 else { return }
        let oldest = table.sorted { ($0.value.last?.start ?? 0) < ($1.value.last?.start ?? 0) }
        for (key, _) in oldest.prefix(table.count - self.capacity / 2) { table[key] = nil }
    }
}
