/// Something about a policy that is valid but probably not meant: a warning of `postern check`.
public struct PolicyWarning: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// No request can ever come to the route, or nobody can meet its rule.
        case unreachable
        /// More specific routes take every request of some of the route's methods.
        case shadowed
        /// The rule works as written; the words around it suggest that something else was meant.
        case suspicious
    }

    public var kind: Kind
    /// Index of the route.
    public var route: Int
    /// What is the matter and what to do; names routes by their text.
    public var message: String

    public init(kind: Kind, route: Int, message: String) {
        self.kind = kind
        self.route = route
        self.message = message
    }
}

/// Looks at a whole policy for what `postern check` warns of. Runs at load, never in a request.
public struct PolicyAnalysis {
    let table: RouteTable
    let routes: [(pattern: RoutePattern, access: Access)]
    let options: TargetOptions
    var warnings: [PolicyWarning] = []

    /// All warnings, in the order of the routes.
    ///
    /// - Parameters:
    ///   - table: made from the patterns of `routes`, in their order.
    ///   - options: which odd paths are let through.
    public static func warnings(
        table: RouteTable, routes: [(pattern: RoutePattern, access: Access)], options: TargetOptions
    ) -> [PolicyWarning] {
        var analysis = PolicyAnalysis(table: table, routes: routes, options: options)
        for index in routes.indices {
            analysis.checkReach(of: index)
            analysis.checkLiterals(of: index)
            if case .required(let requirement) = routes[index].access {
                analysis.checkConditions(of: index, requirement)
            }
        }
        analysis.checkExceptions()
        analysis.checkSpellings()
        analysis.checkDetours()
        return analysis.warnings.enumerated()
            .sorted { ($0.element.route, $0.offset) < ($1.element.route, $1.offset) }
            .map { $0.element }
    }

    private init(
        table: RouteTable, routes: [(pattern: RoutePattern, access: Access)], options: TargetOptions
    ) {
        self.table = table
        self.routes = routes
        self.options = options
    }

    mutating func warn(_ kind: PolicyWarning.Kind, _ route: Int, _ message: String) {
        self.warnings.append(PolicyWarning(kind: kind, route: route, message: message))
    }

    func text(_ route: Int) -> String { self.routes[route].pattern.text }
}

// MARK: - Reach

extension PolicyAnalysis {
    /// Warns where more specific routes take everything, for all methods or for some.
    mutating func checkReach(of index: Int) {
        var covered: [String] = []
        var winners: Set<Int> = []
        let methods = self.routes[index].pattern.methods.keys
        for (name, key) in methods {
            let emptySegments = self.options.allowEmptySegments
            guard let more = self.table.coverage(of: index, method: key, emptySegments: emptySegments) else { continue }
            covered.append(name)
            winners.formUnion(more)
        }
        guard !covered.isEmpty else { return }
        let names = winners.sorted().map { self.text($0) }.joined(separator: ", ")
        if covered.count == methods.count {
            self.warn(.unreachable, index, "no request can reach this route: \(names) win everywhere; remove it")
        } else {
            let methods = covered.joined(separator: ", ")
            self.warn(.shadowed, index, "no request with \(methods) can reach this route: \(names) win everywhere")
        }
    }

    /// Warns of literals that mean something in other routers, and nothing here.
    mutating func checkLiterals(of index: Int) {
        for segment in self.routes[index].pattern.segments {
            guard case .literal(let bytes) = segment, bytes.count > 0 else { continue }
            let text = String(decoding: bytes, as: UTF8.self)
            if bytes == Array("*".utf8) || bytes == Array("**".utf8) {
                self.warn(
                    .suspicious, index,
                    "\(text) is literal and matches only itself; did you mean {name}, or {rest...} at the end?")
            } else if bytes.count > 1, bytes.first == UInt8(ascii: ":") {
                self.warn(.suspicious, index, "\(text) is literal; did you mean {\(text.dropFirst())}?")
            } else if bytes.count > 2, bytes.first == UInt8(ascii: "<"), bytes.last == UInt8(ascii: ">") {
                self.warn(.suspicious, index, "\(text) is literal; did you mean {\(text.dropFirst().dropLast())}?")
            }
        }
    }
}
