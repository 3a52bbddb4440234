/// The parameters of the last match, by position. Kept by the caller and reused, so that a match allocates nothing once
/// it has grown to the longest pattern.
public struct Captures: Sendable {
    private var ranges: [ByteRange] = []
    /// How many parameters the matched pattern has.
    public private(set) var count = 0

    /// `capacity`: how many parameters fit without growing.
    public init(capacity: Int = 8) {
        self.ranges.reserveCapacity(capacity)
    }

    /// Where the parameter at `parameterIndex` stands in the bytes that were matched, still percent-encoded. `.none`
    /// when the matched pattern has fewer; compare with `count` where the difference to an empty rest matters.
    public func range(of parameterIndex: Int) -> ByteRange {
        guard parameterIndex >= 0, parameterIndex < self.count else { return .none }
        return self.ranges[parameterIndex]
    }

    /// Forgets the parameters.
    public mutating func removeAll() {
        self.count = 0
    }

    /// Sets one parameter while a match is under way. A later alternative writes over what an earlier one left.
    @inline(__always)
    mutating func set(_ index: Int, _ range: ByteRange) {
        if index < self.ranges.count {
            self.ranges[index] = range
        } else {
            self.ranges.append(range)
        }
    }

    /// Ends a match with `count` parameters set.
    @inline(__always)
    mutating func finish(_ count: Int) {
        self.count = count
    }
}
