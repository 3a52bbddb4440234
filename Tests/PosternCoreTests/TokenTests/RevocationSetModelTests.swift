import PosternCore
import Testing

/// The set as a list of all that was said, searched from end to end.
private struct RevocationModel {
    private var entries: [(revocation: Revocation, until: Double)] = []
    private var sinceLoad: [(revocation: Revocation, until: Double)] = []

    mutating func insert(_ revocation: Revocation, until: Double) {
        self.entries.append((revocation, until))
        self.sinceLoad.append((revocation, until))
    }

    mutating func beginLoad() { self.sinceLoad = [] }

    mutating func replace(with loaded: [(Revocation, until: Double)], loading: Bool) {
        self.entries = loaded.map { (revocation: $0.0, until: $0.until) }
        for entry in loading ? self.sinceLoad : [] {
            let isCovered = self.entries.contains { other in
                Self.key(other.revocation) == Self.key(entry.revocation)
                    && Self.before(other.revocation) >= Self.before(entry.revocation)
            }
            if !isCovered { self.entries.append(entry) }
        }
    }

    /// All that is about one thing goes together, when the last of it may go.
    mutating func removeExpired(now: Double) {
        let living = Set(self.entries.filter { $0.until > now }.map { Self.key($0.revocation) })
        self.entries.removeAll { !living.contains(Self.key($0.revocation)) }
    }

    var count: Int { Set(self.entries.map { Self.key($0.revocation) }).count }

    func revokes(_ facts: RevocationFacts) -> Bool {
        self.entries.contains { entry in
            switch entry.revocation.subject {
            case .tokenID(let id): facts.tokenID == id
            case .token(let digest): facts.digest == digest
            case .subject(let name, let before): facts.subjects.contains(name) && Self.old(facts, before)
            case .client(let name, let before): facts.clients.contains(name) && Self.old(facts, before)
            }
        }
    }

    private static func old(_ facts: RevocationFacts, _ before: Double) -> Bool {
        guard let issuedAt = facts.issuedAt else { return true }
        return issuedAt < before
    }

    private static func key(_ revocation: Revocation) -> Revocation.Subject {
        switch revocation.subject {
        case .tokenID, .token: revocation.subject
        case .subject(let name, _): .subject(name, before: 0)
        case .client(let name, _): .client(name, before: 0)
        }
    }

    private static func before(_ revocation: Revocation) -> Double {
        switch revocation.subject {
        case .tokenID, .token: 0
        case .subject(_, let before), .client(_, let before): before
        }
    }
}

@Suite("Revocation set, against a list")
struct RevocationSetModelTests {
    /// All tokens there can be in this small world.
    private static let universe: [RevocationFacts] = {
        var all: [RevocationFacts] = []
        for issuedAt in [nil, 0, 1, 2, 3, 4] as [Double?] {
            for name in ["a", "b", "c"] {
                all.append(RevocationFacts(tokenID: name, issuedAt: issuedAt))
                all.append(RevocationFacts(subjects: [name], issuedAt: issuedAt))
                all.append(RevocationFacts(subjects: ["a", name], clients: ["b"], issuedAt: issuedAt))
                all.append(RevocationFacts(clients: [name], issuedAt: issuedAt))
            }
            for fill in 0..<3 as Range<UInt8> { all.append(RevocationFacts(digest: RevocationTests.digest(fill))) }
        }
        return all
    }()

    private func revocation(_ numbers: inout TokenTestGenerator) -> Revocation {
        let name = ["a", "b", "c"][Int.random(in: 0..<3, using: &numbers)]
        let before = Double(Int.random(in: 0...4, using: &numbers))
        if let digest = RevocationTests.digest(UInt8.random(in: 0..<3, using: &numbers)),
            Int.random(in: 0..<4, using: &numbers) == 0
        {
            return Revocation(.token(digest))
        }
        switch Int.random(in: 0..<3, using: &numbers) {
        case 0: return Revocation(.tokenID(name))
        case 1: return Revocation(.subject(name, before: before))
        default: return Revocation(.client(name, before: before))
        }
    }

    private func end(_ now: Double, _ numbers: inout TokenTestGenerator) -> Double {
        Int.random(in: 0..<6, using: &numbers) == 0 ? .infinity : now + Double(Int.random(in: 1...9, using: &numbers))
    }

    @Test(arguments: 0..<8)
    func saysWhatAListSays(_ seed: Int) {
        var numbers = TokenTestGenerator(state: UInt64(900 + seed))
        var set = RevocationSet()
        var model = RevocationModel()
        var now: Double = 0
        var loading = false
        var verdicts = Self.universe.map { _ in false }
        var generation = set.generation
        for step in 0..<3000 {
            var forgets = false
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0...5:
                let revocation = self.revocation(&numbers)
                let until = self.end(now, &numbers)
                set.insert(revocation, until: until)
                model.insert(revocation, until: until)
            case 6, 7:
                now += 3
                set.removeExpired(now: now)
                model.removeExpired(now: now)
                forgets = true
            case 8:
                set.beginLoad()
                model.beginLoad()
                loading = true
            default:
                let loaded = (0..<Int.random(in: 0...4, using: &numbers)).map { _ in
                    (self.revocation(&numbers), until: self.end(now, &numbers))
                }
                set.replace(with: loaded)
                model.replace(with: loaded, loading: loading)
                loading = false
            }
            let found = Self.universe.map { set.revokes($0) }
            #expect(found == Self.universe.map { model.revokes($0) }, "step \(step)")
            #expect(set.count == model.count, "step \(step)")
            if found != verdicts && !forgets { #expect(set.generation != generation, "step \(step)") }
            if forgets { #expect(set.generation == generation, "step \(step)") }
            verdicts = found
            generation = set.generation
        }
    }
}
