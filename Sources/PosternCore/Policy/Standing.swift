/// How a principal stands towards every condition of one policy. Made when a token is verified and kept with it; the
/// decision for a request compares bits.
public struct Standing: Sendable, Equatable {
    /// The conditions that the principal meets.
    public let conditions: ConditionSet
    /// For each claim that some route binds to a path parameter, the texts it holds; never an empty text.
    public let bound: [[[UInt8]]]
    /// Whether the issuer's `admin` claim is JSON `true`.
    public let admin: Bool
    /// Whose numbering of conditions this is: `PolicyVocabulary.fingerprint`.
    let vocabulary: Int

    init(conditions: ConditionSet, bound: [[[UInt8]]], admin: Bool, vocabulary: Int) {
        self.conditions = conditions
        self.bound = bound
        self.admin = admin
        self.vocabulary = vocabulary
    }
}
