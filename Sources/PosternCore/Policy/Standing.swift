/// How a principal stands towards every condition of one policy. Made when a token is verified and kept with it; the
/// decision for a request compares bits.
public struct Standing: Sendable, Equatable {
    /// The conditions that the principal meets.
    public let conditions: ConditionSet
    /// What the claims hold that some route binds to a path parameter.
    let bound: BoundTexts
    /// Whether the issuer's `admin` claim is JSON `true`.
    public let admin: Bool
    /// Whose numbering of conditions this is: `PolicyVocabulary.fingerprint`.
    let vocabulary: Int

    init(conditions: ConditionSet, bound: BoundTexts, admin: Bool, vocabulary: Int) {
        self.conditions = conditions
        self.bound = bound
        self.admin = admin
        self.vocabulary = vocabulary
    }
}

/// For each bound claim the texts it holds, in flat arrays. No text is empty.
struct BoundTexts: Sendable, Equatable {
    private var bytes: [UInt8] = []
    private var ranges: [ByteRange] = []
    /// The first range of each claim, and the end of the last.
    private var starts: [Int32] = [0]

    /// Adds the next claim.
    mutating func append(_ texts: [[UInt8]]) {
        for text in texts where !text.isEmpty {
            self.ranges.append(ByteRange(self.bytes.count, self.bytes.count + text.count))
            self.bytes += text
        }
        self.starts.append(Int32(truncatingIfNeeded: self.ranges.count))
    }

    /// Whether a text of the claim is what `range` of `request` stands for, percent-decoded once.
    func contains(_ request: RawSpan, _ range: ByteRange, claim: Int) -> Bool {
        guard claim >= 0, claim &+ 1 < self.starts.count else { return false }
        var i = Int(self.starts[claim])
        let end = Int(self.starts[claim &+ 1])
        while i < end {
            if request.decodedEquals(range, self.bytes.span.bytes.slice(self.ranges[i])) { return true }
            i &+= 1
        }
        return false
    }
}
