/// Every condition that some route names, numbered once. A token is held against these when it is verified, and against
/// single routes by bits from then on.
struct PolicyVocabulary: Sendable {
    /// What a name means. The same word as a scope and as a role makes two conditions.
    enum Kind: UInt8, Sendable {
        case scope, role, issuer, claim, bound
    }

    private(set) var claims: [(predicate: ClaimPredicate, condition: Int)] = []
    /// Claims that routes compare with path parameters, by position in `Standing.bound`.
    private(set) var bound: [ClaimSelector] = []
    /// Keyed by kind and bytes: two names are one condition only if they are spelled the same. (To Swift's strings, two
    /// spellings of one character are equal.)
    private var numbers: [[UInt8]: Int] = [:]
    private var conditions = 0
    private var hasher = Hasher()

    /// A number for this numbering of conditions, within one process. Where two vocabularies share it, every bit of a
    /// `Standing` means the same in both.
    var fingerprint: Int { self.hasher.finalize() }

    /// The condition's number, or -1 where no route names it.
    func number(of kind: Kind, _ name: String) -> Int {
        self.numbers[Self.key(kind, name)] ?? -1
    }

    mutating func add(_ kind: Kind, _ name: String) -> Int {
        if let known = self.intern(Self.key(kind, name), as: self.conditions) { return known }
        self.conditions += 1
        return self.conditions - 1
    }

    mutating func add(_ predicate: ClaimPredicate) -> Int {
        if let known = self.intern(Self.key(.claim, String(reflecting: predicate)), as: self.conditions) {
            return known
        }
        self.claims.append((predicate, self.conditions))
        self.conditions += 1
        return self.conditions - 1
    }

    mutating func add(bound selector: ClaimSelector) -> Int {
        if let known = self.intern(Self.key(.bound, String(reflecting: selector)), as: self.bound.count) {
            return known
        }
        self.bound.append(selector)
        return self.bound.count - 1
    }

    /// The number that the key has; nil after giving it `number`.
    private mutating func intern(_ key: [UInt8], as number: Int) -> Int? {
        if let known = self.numbers[key] { return known }
        self.numbers[key] = number
        self.hasher.combine(key)
        return nil
    }

    private static func key(_ kind: Kind, _ name: String) -> [UInt8] {
        [kind.rawValue] + Array(name.utf8)
    }
}
