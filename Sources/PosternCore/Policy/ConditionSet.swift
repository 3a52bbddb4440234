/// A set of interned conditions, one bit each. The first 64 are inline, so that most policies compare one word.
public struct ConditionSet: Sendable, Equatable {
    private(set) var first: UInt64 = 0
    /// Conditions from 64 up, 64 a word, without zero words at the end.
    private(set) var more: [UInt64] = []

    public init() {}

    /// Whether the set is empty.
    public var isEmpty: Bool { self.first == 0 && self.more.isEmpty }

    /// Adds a condition. A negative one is ignored: it stands for none.
    public mutating func insert(_ condition: Int) {
        guard condition >= 0 else { return }
        guard condition >= 64 else {
            self.first |= 1 << UInt64(condition)
            return
        }
        let word = condition / 64 - 1
        while self.more.count <= word { self.more.append(0) }
        self.more[word] |= 1 << UInt64(condition % 64)
    }

    /// Whether the condition is in the set.
    public func contains(_ condition: Int) -> Bool {
        guard condition >= 0 else { return false }
        guard condition >= 64 else { return self.first >> UInt64(condition) & 1 != 0 }
        let word = condition / 64 - 1
        return word < self.more.count && self.more[word] >> UInt64(condition % 64) & 1 != 0
    }
}
