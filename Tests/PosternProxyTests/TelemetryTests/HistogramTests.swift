import Testing

@testable import PosternProxy

@Suite struct HistogramTests {
    /// The bounds in nanoseconds, written out.
    private static let bounds: [Int64] = [
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    @Test func boundsRise() {
        #expect(Histogram.bounds == Histogram.bounds.sorted())
        #expect(Histogram.bounds.count == Self.bounds.count)
    }

    @Test(arguments: Self.bounds.indices)
    func durationEqualToABoundIsWithinIt(index: Int) {
        #expect(Self.bucket(of: Self.bounds[index]) == index)
    }

    @Test(arguments: Self.bounds.indices)
    func durationJustOverABoundIsInTheNextBucket(index: Int) {
        #expect(Self.bucket(of: Self.bounds[index] + 1) == index + 1)
    }

    @Test(arguments: [(Int64(0), 0), (1, 0), (-1, 0), (.max, 14)])
    func extremesAreInTheOutermostBuckets(row: (Int64, Int)) {
        #expect(Self.bucket(of: row.0) == row.1)
    }

    @Test func sumAndCountAreThoseOfAllDurations() {
        var histogram = Histogram()
        for duration in Self.bounds { histogram.record(duration) }
        #expect(histogram.count == 14)
        #expect(histogram.sum == Self.bounds.reduce(0, +))
        #expect(histogram.buckets.reduce(0, +) == 14)
    }

    @Test func histogramsAreAddedBucketByBucket() {
        var first = Histogram()
        var second = Histogram()
        first.record(1)
        first.record(20_000_000_000)
        second.record(2)
        second.record(2_000_000)
        first.add(second)
        #expect(first.count == 4)
        #expect(first.sum == 20_002_000_003)
        #expect(first.buckets == [2, 0, 1] + Array(repeating: 0, count: 11) + [1])
    }

    private static func bucket(of duration: Int64) -> Int? {
        var histogram = Histogram()
        histogram.record(duration)
        return histogram.buckets.firstIndex(of: 1)
    }
}
