/// A histogram of durations with fixed bounds, for one event loop.
struct Histogram: Sendable {
    /// Upper bounds in seconds, as the metric shows them; a last bucket is without bound.
    static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    private static let nanoseconds: [Int64] = Self.bounds.map { Int64($0 * 1_000_000_000) }

    private(set) var buckets = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    private(set) var sum: Int64 = 0
    private(set) var count: UInt64 = 0

    /// Records a duration in nanoseconds.
    mutating func record(_ duration: Int64) {
        self.sum &+= duration
        self.count &+= 1
        var index = 0
        while index < Self.bounds.count, duration > Self.nanoseconds[index] { index += 1 }
        self.buckets[index] &+= 1
    }

    mutating func add(_ other: Histogram) {
        for index in self.buckets.indices { self.buckets[index] += other.buckets[index] }
        self.sum += other.sum
        self.count += other.count
    }
}
