import PosternCore

/// A service made of random numbers, its OpenAPI document, and what that document means: read here by the words of the
/// specification and sharing nothing with the importer.
struct RandomService {
    struct Operation {
        var method: String
        /// Segments as the document writes them.
        var segments: [String]
        /// The scopes of each alternative; nil: the document is silent. An alternative of nil: anonymous.
        var needs: [[String]?]?
    }

    static let methods = ["GET", "HEAD", "POST"]
    static let scopes = ["a", "b", "c"]
    /// Every set of scopes, and a caller without a token.
    static let callers: [[String]?] = [
        nil, [], ["a"], ["b"], ["c"], ["a", "b"], ["a", "c"], ["b", "c"], ["a", "b", "c"],
    ]

    private(set) var operations: [Operation] = []
    private(set) var document = ""

    init(seed: UInt64, partial: Bool) {
        var numbers = SplitMix(seed: seed)
        var paths: [String: [String]] = [:]
        var order: [String] = []
        for _ in 0..<Int.random(in: 1...9, using: &numbers) {
            let operation = Operation(
                method: Self.methods.randomElement(using: &numbers) ?? "GET",
                segments: Self.segments(&numbers, partial: partial), needs: Self.needs(&numbers))
            // One path item for each path, and one operation for each of its methods.
            guard
                !self.operations.contains(where: { $0.segments == operation.segments && $0.method == operation.method })
            else { continue }
            self.operations.append(operation)
            let path = "/" + operation.segments.joined(separator: "/")
            if paths[path] == nil { order.append(path) }
            paths[path, default: []].append("\"\(operation.method.lowercased())\": \(Self.json(operation.needs))")
        }
        let items = order.map { "\"\($0)\": {\((paths[$0] ?? []).joined(separator: ", "))}" }
        self.document = """
            {"openapi": "3.1.0", "paths": {\(items.joined(separator: ",\n"))},
            "components": {"securitySchemes": {"o": {"type": "oauth2", "flows": {}}}}}
            """
    }

    private static func segments(_ numbers: inout SplitMix, partial: Bool) -> [String] {
        (0..<Int.random(in: 1...3, using: &numbers)).map { place in
            switch Int.random(in: 0..<(partial ? 7 : 6), using: &numbers) {
            case 0, 1: "a"
            case 2: "b"
            case 3: "c d"
            case 6: "a.{f\(place)}"
            default: Bool.random(using: &numbers) ? "{x\(place)}" : "{y\(place)}"
            }
        }
    }

    private static func needs(_ numbers: inout SplitMix) -> [[String]?]? {
        switch Int.random(in: 0..<8, using: &numbers) {
        case 0: return nil
        case 1: return []
        default:
            return (0..<Int.random(in: 1...3, using: &numbers)).map { _ in
                if Int.random(in: 0..<9, using: &numbers) == 0 { return nil }
                return Self.scopes.filter { _ in Bool.random(using: &numbers) }
            }
        }
    }

    private static func json(_ needs: [[String]?]?) -> String {
        guard let needs else { return "{}" }
        let alternatives = needs.map { scopes in
            scopes.map { "{\"o\": [\($0.map { "\"\($0)\"" }.joined(separator: ", "))]}" } ?? "{}"
        }
        return "{\"security\": [\(alternatives.joined(separator: ", "))]}"
    }
}

// MARK: - What the document means

extension RandomService {
    /// The operations that a request may be meant for: of those that match, the ones that no other is more specific than.
    func candidates(_ method: String, _ path: [String]) -> [Operation] {
        var matching = self.operations.filter { $0.method == method && Self.matches($0.segments, path) }
        if method == "HEAD" {
            matching += self.operations.filter { get in
                get.method == "GET" && Self.matches(get.segments, path)
                    && !self.operations.contains {
                        $0.method == "HEAD" && Self.ranks($0) == Self.ranks(get) && Self.isSame($0, get)
                    }
            }
        }
        return matching.filter { mine in
            !matching.contains { other in
                let (left, right) = (Self.ranks(other), Self.ranks(mine))
                return left != right && zip(left, right).allSatisfy { $0 <= $1 }
            }
        }
    }

    /// Whether an operation lets a caller through. One of which the document says nothing asks for a token here.
    static func permits(_ needs: [[String]?]?, _ scopes: [String]?) -> Bool {
        guard let needs else { return scopes != nil }
        return needs.isEmpty
            || needs.contains { need in
                guard let need else { return true }
                return scopes.map { Set($0).isSuperset(of: need) } ?? false
            }
    }

    private static func matches(_ template: [String], _ path: [String]) -> Bool {
        template.count == path.count
            && zip(template, path).allSatisfy { part, text in
                if part.hasPrefix("{") { return !text.isEmpty }
                if part.hasPrefix("a.{") { return text.hasPrefix("a.") && text.count > 2 }
                return part == text
            }
    }

    private static func ranks(_ operation: Operation) -> [Int] {
        operation.segments.map { $0.hasPrefix("{") ? 2 : $0.contains("{") ? 1 : 0 }
    }

    private static func isSame(_ left: Operation, _ right: Operation) -> Bool {
        zip(left.segments, right.segments).allSatisfy { $0 == $1 || ($0.hasPrefix("{") && $1.hasPrefix("{")) }
    }

    /// Whether proxy.yaml can say exactly what each of these operations asks: all of some scopes and one of others,
    /// with a token.
    static func isExact(_ operation: Operation) -> Bool {
        guard let needs = operation.needs else { return true }
        if needs.contains(where: { $0 == nil }) { return true }
        let sets = needs.compactMap { $0.map { Set($0) } }
        let needed = Set(sets.filter { set in !sets.contains { $0.isStrictSubset(of: set) } })
        let common = needed.reduce(needed.first ?? []) { $0.intersection($1) }
        return needed.count < 2 || needed.allSatisfy { $0.subtracting(common).count == 1 }
    }
}
