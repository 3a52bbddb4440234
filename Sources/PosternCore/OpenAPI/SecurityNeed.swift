/// What the document asks of the callers of one operation (Security Requirement Object), as far as it is about tokens.
public enum SecurityNeed: Equatable, Sendable {
    /// Neither the operation nor the document's root says anything.
    case silent
    /// One of these is enough. An empty list: everybody.
    case oneOf([Alternative])

    /// One way to get through: all of its schemes at once.
    public struct Alternative: Equatable, Sendable {
        /// The names of the schemes that a bearer token satisfies, sorted.
        public var schemes: [String] = []
        /// What the token must have: all of these.
        public var scopes: [String] = []
        /// The schemes that Postern cannot check, in words.
        public var unchecked: [String] = []
        /// What was taken for something else than it says.
        public var notes: [String] = []

        /// Callers without any credential get through.
        var isAnonymous: Bool { self.schemes.isEmpty && self.unchecked.isEmpty }

        /// `a token with the scopes a and b`.
        var words: String {
            var parts = self.unchecked
            if !self.schemes.isEmpty {
                let noun = self.scopes.count == 1 ? "scope" : "scopes"
                parts.append(self.scopes.isEmpty ? "a token" : "a token with \(noun) \(Words.list(self.scopes, "and"))")
            }
            return parts.isEmpty ? "nothing" : Words.list(parts, "and")
        }
    }

    /// What is asked, in words.
    var words: String {
        switch self {
        case .silent: "nothing that it says"
        case .oneOf(let alternatives):
            alternatives.isEmpty ? "nothing" : Words.list(alternatives.map(\.words), "or")
        }
    }
}

/// How proxy.yaml says what a document asks, and what has to be said about that.
struct Ruling: Equatable, Sendable {
    var access: Access
    var notes: [String] = []
}

extension SecurityNeed {
    /// The rule that lets nobody through whom the document keeps out. Where proxy.yaml cannot say it exactly, the rule
    /// is stricter, and a note says so.
    ///
    /// - Parameter silent: the rule where the document says nothing.
    func ruling(silent: Access) -> Ruling {
        guard case .oneOf(let alternatives) = self else {
            return Ruling(
                access: silent, notes: ["the document is silent: no security here, and none at its root"])
        }
        var ruling = self.ruling(of: alternatives)
        if alternatives.contains(where: { $0.unchecked.contains { $0.hasPrefix("HTTP ") } }) {
            ruling.notes.append("the service sees the Authorization header only with forward_token: true")
        }
        return ruling
    }

    private func ruling(of alternatives: [Alternative]) -> Ruling {
        let others = alternatives.filter { !$0.isAnonymous }
        guard !others.isEmpty else { return Ruling(access: .open) }
        guard others.count == alternatives.count else {
            return Ruling(
                access: .optional,
                notes: ["the document lets callers without a token through, or with \(Self.oneOf(others).words)"])
        }
        let bearing = others.filter { !$0.schemes.isEmpty }
        guard !bearing.isEmpty else {
            return Ruling(
                access: .denied,
                notes: [
                    "the document asks for \(self.words), which Postern cannot check: closed; "
                        + "public leaves it to the service"
                ])
        }
        // A way that Postern can check to its end is safer than one of which it sees a half.
        let whole = bearing.filter(\.unchecked.isEmpty)
        let used = whole.isEmpty ? bearing : whole
        var ruling = Self.ruling(tokens: used)
        let dropped = others.filter { !used.contains($0) }
        if !dropped.isEmpty {
            let words = Words.list(dropped.map(\.words), "or")
            ruling.notes.append("\(words) would do by the document, but Postern cannot check it: a token is asked for")
        }
        let left = used.flatMap(\.unchecked)
        if !left.isEmpty {
            ruling.notes.append("Postern cannot check \(Words.list(left.unique, "and")): the service has to")
        }
        ruling.notes = (used.flatMap(\.notes) + ruling.notes).unique
        return ruling
    }

    /// The rule for alternatives that a token satisfies.
    private static func ruling(tokens alternatives: [Alternative]) -> Ruling {
        for scope in alternatives.flatMap(\.scopes)
        where scope.isEmpty || TextFormat.scope.problem(with: scope) != nil {
            return Ruling(access: .denied, notes: ["\(Words.quoted(scope)) is no scope that a token can have: closed"])
        }
        var notes: [String] = []
        var access: Access?
        var isSame = true
        // Postern cannot tell of which scheme a token is: it has to do for each of them.
        for schemes in alternatives.map(\.schemes).unique {
            let sets = alternatives.filter { $0.schemes == schemes }.map(\.scopes)
            let (requirement, isExact) = Self.requirement(oneOf: sets)
            if !isExact {
                notes.append(
                    "the document asks for one of \(sets.count) sets of scopes, which cannot be said here: all of them")
            }
            let next = Access.required(requirement)
            if let known = access, known != next { isSame = false }
            access = access.map { $0.both(next) } ?? next
        }
        if !isSame {
            let words = Words.list(alternatives.map { "\($0.words) of \(Words.list($0.schemes, "and"))" }, "or")
            notes.append("\(words) would do, but the proxy cannot tell the schemes apart: the strictest of them")
        }
        return Ruling(access: access ?? .denied, notes: notes)
    }

    /// All scopes of one of the sets, as `scopes` and `any_scope` say it; not exact: all scopes of all sets.
    private static func requirement(oneOf sets: [[String]]) -> (Requirement, isExact: Bool) {
        // A set that holds another one says nothing.
        let unique = sets.unique
        let needed = unique.filter { set in
            !unique.contains { $0 != set && Set($0).isSubset(of: set) && !(Set($0) == Set(set)) }
        }
        let common = (needed.first ?? []).filter { scope in needed.allSatisfy { $0.contains(scope) } }
        let rests = needed.map { $0.filter { !common.contains($0) } }
        if rests.allSatisfy(\.isEmpty) { return (Requirement(scopes: common), true) }
        if rests.allSatisfy({ $0.count == 1 }) {
            return (Requirement(scopes: common, anyScope: rests.joined().unique), true)
        }
        return (Requirement(scopes: needed.joined().unique), false)
    }
}

extension Sequence where Element: Hashable {
    /// The elements without repetitions, each where it came first.
    var unique: [Element] {
        var seen: Set<Element> = []
        return self.filter { seen.insert($0).inserted }
    }
}
