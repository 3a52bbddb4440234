/// Which requests are recorded: by what the caller says, or by a share of all traces.
public struct TraceSampling: Equatable, Sendable {
    /// What a caller's word is worth.
    public enum Parents: String, Equatable, Sendable, CaseIterable {
        /// A trace that the caller records is recorded here, and one that it does not is not.
        case follow
        /// The share decides, whatever the caller says.
        case ignore
    }

    public var parents: Parents
    /// Trace ids whose lower 56 bits are this or more are recorded.
    private let threshold: UInt64

    private static let range: UInt64 = 1 << 56

    /// - Parameter share: of new traces, 0 to 1.
    public init(share: Double, parents: Parents) {
        self.parents = parents
        let kept = UInt64((min(max(share, 0), 1) * Double(Self.range)).rounded())
        self.threshold = Self.range - min(kept, Self.range)
    }

    /// Whether a request is to be recorded. The same trace gets the same answer wherever the share is the same.
    ///
    /// - Parameters:
    ///   - parent: what the caller says of the trace; nil: it begins here.
    ///   - traceLow: the lower half of the trace's id.
    public func records(parent: TraceContext?, traceLow: UInt64) -> Bool {
        if let parent, self.parents == .follow { return parent.isSampled }
        return traceLow & (Self.range - 1) >= self.threshold
    }
}

/// How many requests may be recorded a second: whoever may say that a request is recorded must not be able to make every
/// request dear.
public struct TraceAllowance: Sendable {
    /// Requests a second, and how many at once after a pause.
    private let limit: Int
    /// Nanoseconds of the allowance that one request takes.
    private let interval: Int64
    /// Monotonic nanoseconds up to which the allowance is used (a generic cell rate algorithm).
    private var usedUntil = Int64.min / 2

    /// - Parameter limit: at least 1, at most a million.
    public init(limit: Int) {
        self.limit = limit
        self.interval = 1_000_000_000 / Int64(limit)
    }

    /// Takes one request of the allowance. Returns false if it is used up. `now` is monotonic, in nanoseconds.
    public mutating func take(now: Int64) -> Bool {
        let start = max(self.usedUntil, now &- self.interval &* Int64(self.limit - 1))
        guard start <= now else { return false }
        self.usedUntil = start &+ self.interval
        return true
    }
}
