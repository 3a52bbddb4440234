/// The conditions from 64 up of all requirements, one row of five sets for each requirement that has any.
struct ConditionWords: Sendable {
    private var words: [UInt64] = []
    /// Words in one set.
    private var width = 0

    init() {}

    /// Lays out the sets of the requirements and tells where each row begins; -1 for one without such conditions.
    init(_ requirements: [[ConditionSet]], rows: inout [Int32]) {
        self.width = requirements.joined().map(\.more.count).max() ?? 0
        for sets in requirements {
            guard sets.contains(where: { !$0.more.isEmpty }) else {
                rows.append(-1)
                continue
            }
            rows.append(Int32(truncatingIfNeeded: self.words.count))
            for set in sets {
                self.words += set.more + [UInt64](repeating: 0, count: self.width - set.more.count)
            }
        }
    }

    /// Whether `held` has every condition of the part.
    @inline(__always)
    func all(_ part: CompiledRequirement.Part, of requirement: CompiledRequirement, in held: ConditionSet) -> Bool {
        guard requirement.word(part) & ~held.first == 0 else { return false }
        return requirement.more < 0 || self.allMore(part, of: requirement, in: held)
    }

    /// Whether the part is empty or `held` has one of its conditions.
    @inline(__always)
    func any(_ part: CompiledRequirement.Part, of requirement: CompiledRequirement, in held: ConditionSet) -> Bool {
        let word = requirement.word(part)
        if word & held.first != 0 { return true }
        guard requirement.more >= 0 else { return word == 0 }
        return self.anyMore(part, of: requirement, in: held, isEmpty: word == 0)
    }

    private func allMore(
        _ part: CompiledRequirement.Part, of requirement: CompiledRequirement, in held: ConditionSet
    ) -> Bool {
        let start = Int(requirement.more) &+ part.rawValue &* self.width
        for i in 0..<self.width {
            let word = i < held.more.count ? held.more[i] : 0
            if self.words[start &+ i] & ~word != 0 { return false }
        }
        return true
    }

    private func anyMore(
        _ part: CompiledRequirement.Part, of requirement: CompiledRequirement, in held: ConditionSet, isEmpty: Bool
    ) -> Bool {
        let start = Int(requirement.more) &+ part.rawValue &* self.width
        var isEmpty = isEmpty
        for i in 0..<self.width {
            let word = i < held.more.count ? held.more[i] : 0
            if self.words[start &+ i] & word != 0 { return true }
            isEmpty = isEmpty && self.words[start &+ i] == 0
        }
        return isEmpty
    }
}
