import NIOCore

/// How long to wait between attempts to connect: 50 ms, doubled with each failure up to 2 s, less up to half of it by
/// chance, so that many processes do not come at once.
struct Backoff {
    static let base = TimeAmount.milliseconds(50)
    static let limit = TimeAmount.seconds(2)

    private var failures = 0

    /// The time to wait after one more failure.
    ///
    /// - Parameter random: From 0 up to 1.
    mutating func next(random: Double) -> TimeAmount {
        // 2^6 times the base is over the limit.
        let whole = min(Self.base.nanoseconds << min(self.failures, 6), Self.limit.nanoseconds)
        self.failures += 1
        return .nanoseconds(whole - Int64(Double(whole) / 2 * random))
    }

    /// A connection has held: the next failure is the first again.
    mutating func reset() {
        self.failures = 0
    }
}
