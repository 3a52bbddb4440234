import PosternCore

/// What `check` says of a configuration as a whole, beyond single routes.
enum PolicyNotes {
    static func findings(_ configuration: Configuration) -> [CheckFinding] {
        Self.wideDoors(configuration) + Self.preflights(configuration) + Self.lookalikes(configuration)
    }

    private static func wideDoors(_ configuration: Configuration) -> [CheckFinding] {
        var findings: [CheckFinding] = []
        if configuration.defaultAccess == .open {
            findings.append(
                CheckFinding(
                    kind: .suspicious, mark: Mark(line: 1, column: 1), path: "default",
                    message: "what no route declares reaches the service without a token; deny is the safe default"))
        }
        for issuer in configuration.issuers where issuer.rules.audiences == nil {
            findings.append(
                CheckFinding(
                    kind: .note, mark: issuer.mark, path: "issuers.\(issuer.name).audiences",
                    message: "any: tokens that this issuer made for other services are accepted"))
        }
        return findings
    }

    /// What reaches the service without a token although its route asks for one.
    private static func preflights(_ configuration: Configuration) -> [CheckFinding] {
        guard configuration.cors.preflight == .forward else { return [] }
        return [
            CheckFinding(
                kind: .note, mark: Mark(line: 1, column: 1), path: "cors.preflight",
                message: "forward: preflights reach the service without a token, but not where a deny stands")
        ]
    }

    /// A scope or role that one route alone names and that is one slip away from one of other routes: nobody is
    /// likely to have it.
    private static func lookalikes(_ configuration: Configuration) -> [CheckFinding] {
        Self.lookalikes("scope", configuration) { $0.scopes + $0.anyScope }
            + Self.lookalikes("role", configuration) { $0.roles }
    }

    private static func lookalikes(
        _ noun: String, _ configuration: Configuration, names: (Requirement) -> [String]
    ) -> [CheckFinding] {
        var routes: [String: Set<Int>] = [:]
        for (index, route) in configuration.routes.enumerated() {
            for name in route.access.requirement.map(names) ?? [] { routes[name, default: []].insert(index) }
        }
        var findings: [CheckFinding] = []
        // Sorted by length: only neighbours in length can be one slip apart.
        let all = routes.keys.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
        for (position, name) in all.enumerated() {
            for other in all[(position + 1)...] {
                guard other.utf8.count <= name.utf8.count + 1 else { break }
                guard Slip.separates(Array(name.utf8), Array(other.utf8)) else { continue }
                let isRarer = routes[name, default: []].count <= routes[other, default: []].count
                let (rare, usual) = isRarer ? (name, other) : (other, name)
                guard routes[rare]?.count == 1, let index = routes[rare]?.first else { continue }
                let route = configuration.routes[index]
                findings.append(
                    CheckFinding(
                        kind: .suspicious, mark: route.mark, path: "routes.\(route.pattern.text)",
                        message: "the \(noun) \(rare) is named by no other route and looks like \(usual)"))
            }
        }
        return findings
    }
}

/// Slips of the hand: one letter more, less or other, two letters swapped, or another case or separator.
enum Slip {
    /// Whether exactly one slip lies between two different names. Names that differ in a digit are a series, not a slip,
    /// and short ones are all alike.
    static func separates(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left != right, min(left.count, right.count) >= 5 else { return false }
        if Self.folded(left) == Self.folded(right) { return true }
        let (short, long) = left.count <= right.count ? (left, right) : (right, left)
        let start = zip(short, long).prefix { $0 == $1 }.count
        let end = zip(short.reversed(), long.reversed()).prefix { $0 == $1 }.count
        let tail = min(end, short.count - start)
        let (mine, yours) = (short[start..<(short.count - tail)], long[start..<(long.count - tail)])
        guard !(mine + yours).contains(where: { (0x30...0x39).contains($0) }) else { return false }
        if mine.count == 2, yours.count == 2 { return mine.first == yours.last && mine.last == yours.first }
        return mine.count <= 1 && yours.count <= 1
    }

    /// Lower case, every separator the same.
    private static func folded(_ name: [UInt8]) -> [UInt8] {
        name.map { ".-_/".utf8.contains($0) ? UInt8(ascii: ":") : $0.asciiLowercased }
    }
}
