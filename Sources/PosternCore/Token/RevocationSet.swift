/// The revocations that hold, in memory: a token is looked up in constant time, however many there are.
///
/// Names are compared as Swift's `String` does, two Unicode normal forms of one name being the same: the mistake that is
/// possible so revokes too much. Times are Unix seconds.
public struct RevocationSet: Sendable {
    /// Changes with every change that can change the verdict on a token, but for what `removeExpired` takes out: those
    /// tokens are over by themselves.
    public private(set) var generation = 0
    private var entries = RevocationEntries()
    /// What came since a load began; nil: none is under way.
    private var announced: [(revocation: Revocation, until: Double)]?

    public init() {}

    /// How many there are; all revocations of one user or one client are one.
    public var count: Int { self.entries.count }

    /// A revocation became known.
    /// - Parameter until: When it may be forgotten; `.infinity`: not known yet. Where the same thing or the same name is
    ///   revoked already, the later time and the later `before` count.
    public mutating func insert(_ revocation: Revocation, until: Double) {
        self.announced?.append((revocation, until))
        if self.entries.insert(revocation, until: until) { self.generation &+= 1 }
    }

    /// The set is about to be asked for. What is inserted from now on may be missing in the answer, although it was
    /// published before the answer comes, and outlives the `replace` that the answer leads to.
    public mutating func beginLoad() {
        self.announced = []
    }

    /// The set that was asked for came: it takes the place of all that was known, but for what was inserted since
    /// `beginLoad`. Ends the load.
    /// - Parameter loaded: Each with the time when it may be forgotten.
    public mutating func replace(with loaded: [(Revocation, until: Double)]) {
        var next = RevocationEntries()
        for (revocation, until) in loaded { _ = next.insert(revocation, until: until) }
        // The answer knows until when, a message does not: what both have is taken from the answer.
        for entry in self.announced ?? [] where !next.covers(entry.revocation) {
            _ = next.insert(entry.revocation, until: entry.until)
        }
        self.announced = nil
        if !next.judges(as: self.entries) { self.generation &+= 1 }
        self.entries = next
    }

    /// Forgets what may be forgotten at `now`. Looks at every entry: for a timer, not for a request.
    public mutating func removeExpired(now: Double) {
        self.entries.removeExpired(now: now)
    }

    /// Whether a token of which this is known is revoked.
    public func revokes(_ facts: RevocationFacts) -> Bool {
        self.entries.revokes(facts)
    }
}

/// The tables of a `RevocationSet`.
struct RevocationEntries: Sendable {
    /// All tokens from before a time.
    private struct Cut: Equatable, Sendable {
        var before: Double
        var until: Double
    }

    /// By what is revoked: until when.
    private var tokenIDs: [String: Double] = [:]
    private var digests: [TokenDigest: Double] = [:]
    private var subjects: [String: Cut] = [:]
    private var clients: [String: Cut] = [:]

    var count: Int { self.tokenIDs.count + self.digests.count + self.subjects.count + self.clients.count }

    /// Returns whether the verdict on some token can be another now.
    mutating func insert(_ revocation: Revocation, until: Double) -> Bool {
        // Not a number is not known.
        let until = until.isNaN ? .infinity : until
        switch revocation.subject {
        case .tokenID(let id): return Self.insert(id, until, into: &self.tokenIDs)
        case .token(let digest): return Self.insert(digest, until, into: &self.digests)
        case .subject(let name, let before): return Self.insert(name, before, until, into: &self.subjects)
        case .client(let name, let before): return Self.insert(name, before, until, into: &self.clients)
        }
    }

    private static func insert<Key>(_ key: Key, _ until: Double, into table: inout [Key: Double]) -> Bool {
        guard let known = table[key] else {
            table[key] = until
            return true
        }
        table[key] = max(known, until)
        return false
    }

    private static func insert(
        _ name: String, _ before: Double, _ until: Double, into table: inout [String: Cut]
    ) -> Bool {
        guard let known = table[name] else {
            table[name] = Cut(before: before, until: until)
            return true
        }
        table[name] = Cut(before: max(known.before, before), until: max(known.until, until))
        return before > known.before
    }

    /// Whether the revocation would change no verdict here.
    func covers(_ revocation: Revocation) -> Bool {
        switch revocation.subject {
        case .tokenID(let id): self.tokenIDs[id] != nil
        case .token(let digest): self.digests[digest] != nil
        case .subject(let name, let before): self.subjects[name].map { $0.before >= before } ?? false
        case .client(let name, let before): self.clients[name].map { $0.before >= before } ?? false
        }
    }

    /// Whether the verdict on every token is the same as `other`'s.
    func judges(as other: Self) -> Bool {
        guard self.tokenIDs.count == other.tokenIDs.count, self.digests.count == other.digests.count,
            self.subjects.count == other.subjects.count, self.clients.count == other.clients.count
        else { return false }
        return self.tokenIDs.keys.allSatisfy { other.tokenIDs[$0] != nil }
            && self.digests.keys.allSatisfy { other.digests[$0] != nil }
            && self.subjects.allSatisfy { other.subjects[$0.key]?.before == $0.value.before }
            && self.clients.allSatisfy { other.clients[$0.key]?.before == $0.value.before }
    }

    /// Copies the tables only where something goes: event loops share them after a load.
    mutating func removeExpired(now: Double) {
        let isDue =
            self.tokenIDs.values.contains { $0 <= now } || self.digests.values.contains { $0 <= now }
            || self.subjects.values.contains { $0.until <= now } || self.clients.values.contains { $0.until <= now }
        guard isDue else { return }
        self.tokenIDs = self.tokenIDs.filter { $0.value > now }
        self.digests = self.digests.filter { $0.value > now }
        self.subjects = self.subjects.filter { $0.value.until > now }
        self.clients = self.clients.filter { $0.value.until > now }
    }

    func revokes(_ facts: RevocationFacts) -> Bool {
        if let id = facts.tokenID, self.tokenIDs[id] != nil { return true }
        if let digest = facts.digest, self.digests[digest] != nil { return true }
        if let twin = facts.twin, self.digests[twin] != nil { return true }
        return facts.subjects.contains { Self.cuts(self.subjects[$0], facts.issuedAt) }
            || facts.clients.contains { Self.cuts(self.clients[$0], facts.issuedAt) }
    }

    private static func cuts(_ cut: Cut?, _ issuedAt: Double?) -> Bool {
        guard let cut else { return false }
        // A token that does not say when it was issued cannot show that it came after.
        guard let issuedAt else { return true }
        return issuedAt < cut.before
    }
}
