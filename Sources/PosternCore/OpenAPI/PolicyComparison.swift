/// Holds a policy against a service's description: what `postern check --openapi` says.
public struct PolicyComparison {
    public struct Finding: Equatable, Sendable {
        public enum Kind: String, Sendable, CaseIterable {
            /// An operation that no route is for.
            case missing
            /// A route lets callers through whom the document keeps out.
            case weaker
            /// A route for something that the service does not have.
            case surplus
            /// A route keeps callers out whom the document lets through, or leaves a check to the service.
            case note
        }

        public var kind: Kind
        /// Index of the route; nil where there is none.
        public var route: Int?
        /// Where the document says it; nil where it says nothing.
        public var place: ServiceDescription.Place?
        public var message: String
    }

    let configuration: Configuration
    let description: ServiceDescription
    let table: RouteTable
    var findings: [Finding] = []
    private var captures: Captures
    /// The lengths of the document's paths, and the routes that match paths of each, with their shapes.
    private let shapes: [Int: [(route: Int, shape: PathShape)]]

    /// Everything in which the two differ: operations in the order of the document, then routes in that of the file.
    /// Throws when two routes are the same, which a loaded configuration never has.
    public static func findings(
        _ configuration: Configuration, _ description: ServiceDescription
    ) throws(RouteConflict) -> [Finding] {
        var comparison = try PolicyComparison(configuration, description)
        for index in description.operations.indices { comparison.compare(operation: index) }
        for index in configuration.routes.indices { comparison.findSurplus(route: index) }
        return comparison.findings
    }

    private init(_ configuration: Configuration, _ description: ServiceDescription) throws(RouteConflict) {
        self.configuration = configuration
        self.description = description
        self.table = try RouteTable(configuration.routes.map(\.pattern))
        self.captures = Captures(capacity: self.table.maximumParameters)
        let lengths = Set(description.operations.compactMap { $0.template.shape?.parts.count })
        self.shapes = Dictionary(
            uniqueKeysWithValues: lengths.map { length in
                let shapes = configuration.routes.enumerated().compactMap { route in
                    route.element.pattern.shape(count: length).map { (route: route.offset, shape: $0) }
                }
                return (length, shapes)
            })
    }

    /// What a request comes to; nil for one that is refused before it gets to the routes.
    private mutating func match(_ method: String, _ path: [UInt8]) -> RouteMatch? {
        let token = Array(method.utf8)
        let bytes = path + token
        let range = ByteRange(0, path.count)
        let options = self.configuration.paths
        guard let checked = try? CheckedTarget.check(bytes.span.bytes, range, options: options) else { return nil }
        return self.table.match(
            bytes.span.bytes, path: range, hasEscapes: checked.hasEscapes, method: Method(name: method) ?? .other,
            methodToken: ByteRange(path.count, bytes.count), captures: &self.captures)
    }
}

// MARK: - Operations

extension PolicyComparison {
    private mutating func compare(operation index: Int) {
        let operation = self.description.operations[index]
        guard let shape = operation.template.shape else {
            self.add(.missing, operation, operation.template.problem ?? "the path is not usable")
            return
        }
        switch self.match(operation.method, shape.sample) {
        case .route: break
        case nil: self.add(.missing, operation, "no request comes this far: such a path is refused with 400")
        case .methodNotAllowed: self.reportMissing(operation, default: .deny)
        case .undeclared: self.reportMissing(operation, default: self.configuration.defaultAccess)
        }
        for (route, mine) in self.shapes[shape.parts.count, default: []] where mine.meets(shape) {
            guard self.configuration.routes[route].pattern.answers(operation.method),
                let both = mine.intersection(shape),
                self.match(operation.method, both.sample) == .route(route),
                self.isMeant(operation, shape, for: both)
            else { continue }
            self.compare(operation, route: route)
        }
    }

    /// Whether no other operation is the more specific one for these requests. A path with GET answers HEAD by it.
    private func isMeant(_ operation: ServiceDescription.Operation, _ shape: PathShape, for requests: PathShape) -> Bool
    {
        !self.description.operations.contains { other in
            guard other.method == operation.method || (operation.method == "HEAD" && other.method == "GET"),
                let its = other.template.shape
            else { return false }
            return its != shape && shape.contains(its) && its.contains(requests)
        }
    }

    private mutating func compare(_ operation: ServiceDescription.Operation, route: Int) {
        let wanted = operation.need.words
        switch operation.need.standing(of: self.configuration.routes[route].access) {
        case .same: return
        case .weaker:
            self.add(
                .weaker, operation,
                "lets more callers through than \(operation.text) does by the document, "
                    + "which asks for \(wanted)", route: route)
        case .stricter:
            self.add(
                .note, operation,
                "asks for more than \(operation.text) does by the document, "
                    + "which asks for \(wanted)", route: route)
        case .leftToService:
            self.add(
                .note, operation, "the document asks for \(wanted) at \(operation.text): left to the service",
                route: route)
        }
    }

    /// - Parameter access: what such a request meets instead of a route; where the path has routes for other methods,
    ///   it is refused whatever the default is.
    private mutating func reportMissing(
        _ operation: ServiceDescription.Operation, default access: Configuration.DefaultAccess
    ) {
        let isPreflight = operation.method == "OPTIONS" && self.configuration.cors.preflight != .deny
        let needed = operation.need.ruling(silent: .required(Requirement()))
        let proposal = (try? operation.pattern()).map { "; write \($0.text): \(PolicyText.rule(needed.access))" } ?? ""
        if isPreflight {
            self.add(.note, operation, "no route is for it: only CORS preflights are answered")
            return
        }
        let fate: String
        switch access {
        case .deny: fate = "refused"
        case .authenticated: fate = "open to everybody with a token, by default: authenticated"
        case .open: fate = "open to everybody, by default: public"
        }
        let isOpen = operation.need.standing(of: access.access) == .weaker
        self.add(isOpen ? .weaker : .missing, operation, "no route is for it: it is \(fate)\(proposal)")
    }

    private mutating func add(
        _ kind: Finding.Kind, _ operation: ServiceDescription.Operation, _ message: String, route: Int? = nil
    ) {
        self.findings.append(Finding(kind: kind, route: route, place: operation.place, message: message))
    }
}

// MARK: - Routes

extension PolicyComparison {
    /// Warns of a route that is for nothing in the document. A `deny` for what is not there does no harm.
    private mutating func findSurplus(route index: Int) {
        let route = self.configuration.routes[index]
        guard route.access != .denied else { return }
        var mine: [Int: PathShape] = [:]
        for length in self.shapes.keys { mine[length] = route.pattern.shape(count: length) }
        var methods: Set<String> = []
        for operation in self.description.operations {
            guard let shape = operation.template.shape, let mine = mine[shape.parts.count], mine.meets(shape) else {
                continue
            }
            methods.insert(operation.method)
        }
        guard !methods.isEmpty else {
            self.findings.append(
                Finding(kind: .surplus, route: index, place: nil, message: "the document has no such path"))
            return
        }
        guard case .named(let names) = route.pattern.methods else { return }
        let unknown = names.filter { name in
            // Services answer HEAD where there is GET, and OPTIONS anywhere, without a word about it.
            !methods.contains(name) && name != "OPTIONS" && !(name == "HEAD" && methods.contains("GET"))
        }
        guard !unknown.isEmpty else { return }
        self.findings.append(
            Finding(
                kind: .surplus, route: index, place: nil,
                message: "the document has the path, but not with \(Words.list(unknown, "or"))"))
    }
}
