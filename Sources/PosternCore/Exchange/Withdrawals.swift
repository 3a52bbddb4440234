/// What one event loop knows of revocations: the set, and whether it is complete.
public struct Withdrawals: Sendable {
    public private(set) var set = RevocationSet()
    /// Whether everything that was published is in the set, as far as issuers with `revocation: required` care. Not before
    /// the set was loaded for the first time.
    public private(set) var areKnown = false
    /// Changes with everything that can change the verdict on a token.
    public private(set) var epoch = 0

    public init() {}

    /// The set was loaded, perhaps once more with nothing new. Every verdict is looked at again all the same, which costs a
    /// lookup: whether two sets say the same, their generations tell only if one was made of the other.
    public mutating func replace(with set: RevocationSet) {
        self.set = set
        self.epoch &+= 1
    }

    /// A revocation was published.
    public mutating func insert(_ revocation: Revocation, until: Double) {
        self.set.insert(revocation, until: until)
        self.epoch &+= 1
    }

    /// The set became, or is not any more, known to be complete.
    public mutating func setKnown(_ areKnown: Bool) {
        guard areKnown != self.areKnown else { return }
        self.areKnown = areKnown
        self.epoch &+= 1
    }

    /// Forgets what may be forgotten at `now`, in Unix seconds.
    public mutating func removeExpired(now: Double) {
        self.set.removeExpired(now: now)
    }

    /// Why a verified token does not count; nil if it does.
    public func refusal(for terms: TokenTerms) -> Refusal? {
        guard let facts = terms.revocation else { return nil }
        if self.set.revokes(facts) { return Refusal(TokenProblem.revoked) }
        return terms.needsRevocations && !self.areKnown ? .revocationsUnknown : nil
    }
}

extension Refusal {
    /// `revocation: required`, and the set is not known to be complete.
    public static let revocationsUnknown = Refusal(
        .issuerUnavailable, "Whether the token was revoked cannot be said at the moment; try again.")
}
