/// Which signing key signs, waits, or is over: decided by their times alone, so that all processes over one store agree
/// without talking to each other.
///
/// A key is published for ``notice`` seconds before it signs: by then everybody who caches the key set has asked again.
/// It signs until the next one does, whatever the algorithm of either. Then it stays published until the last token
/// under it is over.
struct KeySchedule: Equatable, Sendable {
    /// What the schedule knows of a key.
    struct Key: Equatable, Sendable {
        var kid: String
        var algorithm: String
        /// Unix seconds.
        var createdAt: Int
        var signsFrom: Int
    }

    enum State: Equatable, Sendable {
        /// Published, and not signing yet.
        case next
        case current
        /// Signs no more; its last token is over at that time (Unix seconds).
        case retired(until: Int)

        /// For lists and labels.
        var name: String {
            switch self {
            case .next: "next"
            case .current: "current"
            case .retired: "retired"
            }
        }
    }

    /// For how many seconds a key is published before it signs: as long as the key set may be cached, one reload of
    /// every process, and as much again for clocks that differ.
    static let notice = MetadataEndpoints.maxAge + 2 * Self.reloadInterval
    /// Every process reads the keys so often, in seconds.
    static let reloadInterval = 30
    /// For how many seconds after its end a token may still be verified, by a clock that is behind.
    static let leeway = 300
    /// No access token is promised to live shorter, whatever the clients' lifetimes: users log in without one.
    static let leastLifetime = 900

    /// The last one to sign first.
    let keys: [Key]

    /// - Parameter keys: As the store gives them: newest first.
    init(_ keys: [Key]) {
        let order = keys.enumerated().sorted {
            ($1.element.signsFrom, $0.offset) < ($0.element.signsFrom, $1.offset)
        }
        self.keys = order.map(\.element)
    }

    init(_ stored: [StoredSigningKey]) {
        self.init(
            stored.map {
                Key(kid: $0.kid, algorithm: $0.algorithm, createdAt: $0.createdAt, signsFrom: $0.signsFrom)
            })
    }

    /// The index of the key that signs. If the clock says that none does yet, the first one does. Nil: there is none.
    func signer(now: Double) -> Int? {
        self.keys.firstIndex { Double($0.signsFrom) <= now } ?? self.keys.indices.last
    }

    /// What each key is, in the order of ``keys``.
    ///
    /// - Parameter longestLifetime: Seconds: no access token lives longer.
    func states(now: Double, longestLifetime: Int) -> [State] {
        guard let signer = self.signer(now: now) else { return [] }
        return self.keys.indices.map { index in
            if index < signer { return .next }
            if index == signer { return .current }
            return .retired(until: self.keys[index - 1].signsFrom + longestLifetime + Self.leeway)
        }
    }

    /// The keys whose last token is over.
    func removable(now: Double, longestLifetime: Int) -> [String] {
        zip(self.keys, self.states(now: now, longestLifetime: longestLifetime)).compactMap { key, state in
            guard case .retired(let until) = state, now >= Double(until) else { return nil }
            return key.kid
        }
    }

    /// Whether the current key has signed for so long (seconds; nil: for ever) that another is to follow, and none waits.
    func isDue(now: Double, age: Int?) -> Bool {
        guard let age, let signer = self.signer(now: now), signer == 0 else { return false }
        return now - Double(self.keys[signer].signsFrom) >= Double(age)
    }
}
