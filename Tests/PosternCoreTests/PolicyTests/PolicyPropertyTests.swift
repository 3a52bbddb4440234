import Testing

@testable import PosternCore

@Suite struct PolicyPropertyTests {
    private static func names(_ prefix: String, _ numbers: inout SeededNumbers) -> [String] {
        (0..<Int.random(in: 0...2, using: &numbers)).map { _ in "\(prefix)\(Int.random(in: 0..<3, using: &numbers))" }
    }

    private static func requirement(_ numbers: inout SeededNumbers) -> Requirement {
        var requirement = Requirement(scopes: self.names("s", &numbers), anyScope: self.names("s", &numbers))
        if Bool.random(using: &numbers) { requirement.roles = self.names("r", &numbers) }
        if Bool.random(using: &numbers) { requirement.issuers = self.names("i", &numbers) }
        if Bool.random(using: &numbers) {
            requirement.claims = [.named("c", .string("v\(Int.random(in: 0..<2, using: &numbers))"))]
        }
        return requirement
    }

    /// The rule read word for word, over the principal's own lists.
    private static func permits(_ rule: Requirement, _ caller: Principal) -> Bool {
        let issuer = rule.issuers.isEmpty || rule.issuers.contains(caller.issuer)
        if caller.admin == true { return issuer }
        let scopes = rule.scopes.allSatisfy { caller.scopes.contains($0) }
        let anyScope = rule.anyScope.isEmpty || rule.anyScope.contains { caller.scopes.contains($0) }
        let roles = rule.roles.isEmpty || rule.roles.contains { caller.roles.contains($0) }
        let claims = rule.claims.allSatisfy { $0.expectation == .oneOf([caller.claims["c"] ?? .null]) }
        return issuer && scopes && anyScope && roles && claims
    }

    @Test("bits and words agree on 40,000 decisions, and explain says the same", arguments: 0..<4)
    func bitsAgreeWithWords(_ seed: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(seed) + 77)
        var permits = 0
        for _ in 0..<100 {
            let rules = (0..<10).map { _ in Self.requirement(&numbers) }
            let policy = try Policies(rules.enumerated().map { ("GET /r\($0.offset)", .required($0.element)) })
            for _ in 0..<10 {
                let caller = Principal.caller(
                    issuer: "i\(Int.random(in: 0..<3, using: &numbers))",
                    scopes: Self.names("s", &numbers) + Self.names("s", &numbers), roles: Self.names("r", &numbers),
                    admin: Int.random(in: 0..<8, using: &numbers) == 0,
                    claims: [("c", .string("v\(Int.random(in: 0..<2, using: &numbers))"))])
                for (index, rule) in rules.enumerated() {
                    let expected = Self.permits(rule, caller)
                    #expect(policy.decide(caller, "/r\(index)").isPermit == expected, "\(rule) \(caller)")
                    #expect(policy.explain(caller, "/r\(index)").allSatisfy(\.held) == expected)
                    permits += expected ? 1 : 0
                }
            }
        }
        #expect(permits > 1000 && permits < 9000)
    }

    @Test("condition sets are sets, over the inline word and beyond")
    func conditionSets() {
        var numbers = SeededNumbers(seed: 5)
        for _ in 0..<500 {
            let range = numbers.pick([10, 64, 65, 200])
            func random() -> Set<Int> {
                Set(
                    (0..<Int.random(in: 0..<6, using: &numbers)).map { _ in Int.random(in: 0..<range, using: &numbers) }
                )
            }
            let (left, right) = (random(), random())
            let (leftSet, rightSet) = (Self.set(left), Self.set(right))
            let rule = Requirement(scopes: Self.names(right), anyScope: [])
            let anyRule = Requirement(anyScope: Self.names(right))
            #expect(Self.permits(rule, left, range) == left.isSuperset(of: right))
            #expect(Self.permits(anyRule, left, range) == (right.isEmpty || !left.isDisjoint(with: right)))
            #expect(leftSet.isEmpty == left.isEmpty)
            #expect((leftSet == rightSet) == (left == right))
            #expect((-2..<range).allSatisfy { leftSet.contains($0) == left.contains($0) })
        }
    }

    private static func names(_ conditions: Set<Int>) -> [String] { conditions.sorted().map { "s\($0)" } }

    /// Whether a rule lets somebody with these scopes through, where scope `n` has the number `n`.
    private static func permits(_ rule: Requirement, _ scopes: Set<Int>, _ range: Int) -> Bool {
        let pattern = RoutePattern(methods: .any, segments: [], text: "")
        let all = Requirement(scopes: (0..<range).map { "s\($0)" })
        let catalogue = PolicyCatalogue([(pattern, .required(all)), (pattern, .required(rule))])
        let none = [UInt8]()
        let standing = catalogue.standing(of: .caller(scopes: self.names(scopes)))
        return catalogue.decide(route: 1, standing: standing, bytes: none.span.bytes, captures: Captures()).isPermit
    }

    private static func set(_ conditions: Set<Int>) -> ConditionSet {
        var set = ConditionSet()
        for condition in conditions { set.insert(condition) }
        set.insert(-1)
        return set
    }
}
