/// The routes that a service's description asks for.
///
/// For every request the rule of the route that Postern chooses is the one of the operation that the document means: a
/// template that is more specific wins in both. Where the document leaves open which of its operations a request is
/// for, the rules of all of them hold together.
public struct PolicyDraft: Equatable, Sendable {
    /// One route.
    public struct Route: Equatable, Sendable {
        public internal(set) var pattern: RoutePattern
        public internal(set) var access: Access
        /// What a person should look at.
        public internal(set) var notes: [String]
        var shape: PathShape
        var method: String
    }

    /// An operation that has no route, and why.
    public struct Skipped: Equatable, Sendable {
        public var operation: ServiceDescription.Operation
        public var reason: String
    }

    /// In the order of the document, then those for requests that two operations could be meant for.
    public private(set) var routes: [Route] = []
    public private(set) var skipped: [Skipped] = []
    let description: ServiceDescription

    /// What a person should know of the document as a whole.
    public var remarks: [ServiceDescription.Remark] { self.description.remarks }

    /// Throws when the document's templates overlap in more ways than a policy should have routes.
    ///
    /// - Parameter silent: the rule of operations of which the document does not say whom they let through.
    public init(_ description: ServiceDescription, silent: Access) throws(TemplatesOverlap) {
        self.description = description
        var indices: [Key: Int] = [:]
        var partial: [(operation: ServiceDescription.Operation, shape: PathShape, access: Access)] = []
        for operation in description.operations {
            let ruling = operation.need.ruling(silent: silent)
            do throws(RoutePatternProblem) {
                let pattern = try operation.pattern()
                guard let shape = operation.template.shape else { throw RoutePatternProblem("the path is not usable") }
                let route = Route(
                    pattern: pattern, access: ruling.access, notes: ruling.notes + operation.template.notes,
                    shape: shape, method: operation.method)
                let key = Key(method: operation.method, shape: shape)
                if let index = indices[key] {
                    self.routes[index].merge(route, of: operation)
                } else {
                    indices[key] = self.routes.count
                    self.routes.append(route)
                }
            } catch {
                self.skipped.append(Skipped(operation: operation, reason: error.message))
                if let shape = operation.template.shape { partial.append((operation, shape, ruling.access)) }
            }
        }
        for (operation, shape, access) in partial { self.guardRequests(of: operation, shape, access) }
        try self.addIntersections()
    }

    struct Key: Hashable {
        var method: String
        var shape: PathShape
    }

    /// Requests for an operation without a route must not get through by the route of another one.
    private mutating func guardRequests(
        of operation: ServiceDescription.Operation, _ shape: PathShape, _ access: Access
    ) {
        for index in self.routes.indices where self.routes[index].pattern.answers(operation.method) {
            let route = self.routes[index]
            guard route.shape.meets(shape), !shape.contains(route.shape) else { continue }
            let both = route.access.both(access)
            guard both != route.access else { continue }
            self.routes[index].access = both
            self.routes[index].notes.append(
                "stricter than the document: requests for \(operation.text), which has no route, come here as well")
        }
    }

    /// Adds routes for the requests that two templates match of which neither is more specific.
    private mutating func addIntersections() throws(TemplatesOverlap) {
        var groups: [String: [Int]] = [:]
        for (index, route) in self.routes.enumerated() { groups[route.method, default: []].append(index) }
        if groups["HEAD"] != nil {
            // A path that has no HEAD of its own answers it by its GET.
            let own = Set(groups["HEAD", default: []].map { self.routes[$0].shape })
            let others = groups["GET", default: []].filter { !own.contains(self.routes[$0].shape) }
            groups["HEAD", default: []] += others
        }
        var added: [Route] = []
        for (method, indices) in groups.sorted(by: { $0.key < $1.key }) {
            let overlaps = Overlaps(indices.map { (self.routes[$0].shape, self.routes[$0].access) })
            for overlap in try overlaps.resolved() {
                guard let pattern = overlap.shape.pattern(method) else { continue }
                let names = overlap.origins.map { self.routes[indices[$0]].pattern.text }
                added.append(
                    Route(
                        pattern: pattern, access: overlap.access,
                        notes: [
                            "\(Words.list(names, "and")) both match, and the document does not say which is meant: "
                                + "the rules of all of them"
                        ], shape: overlap.shape, method: method))
            }
            guard added.count <= Overlaps.limit else { throw TemplatesOverlap() }
        }
        self.routes += added
    }
}

/// Why there is no draft: the document's templates overlap in too many ways.
public struct TemplatesOverlap: Error, Equatable, Sendable {}

extension PolicyDraft.Route {
    /// Takes in another operation that the same requests are for.
    fileprivate mutating func merge(_ other: Self, of operation: ServiceDescription.Operation) {
        let same = other.access == self.access
        self.access = self.access.both(other.access)
        self.notes.append(
            "\(operation.text) of the document are the same requests" + (same ? "" : ": the rules of both"))
        self.notes += other.notes.filter { !self.notes.contains($0) }
    }
}

extension ServiceDescription.Operation {
    /// The key of a route for this operation alone.
    func pattern() throws(RoutePatternProblem) -> RoutePattern {
        guard let path = self.template.path else {
            throw RoutePatternProblem(self.template.problem ?? "the path is not usable")
        }
        return try RoutePattern.parse("\(self.method) \(path)", options: TargetOptions())
    }
}

extension PathShape {
    /// A pattern with parameters of no particular names; nil for a shape that no pattern has.
    fileprivate func pattern(_ method: String) -> RoutePattern? {
        var path = ""
        for (index, part) in self.parts.enumerated() {
            switch part {
            case .literal: path += "/" + String(decoding: PathShape(parts: [part]).sample.dropFirst(), as: UTF8.self)
            case .parameter: path += "/{p\(index + 1)}"
            case .open, .anything: return nil
            }
        }
        return try? RoutePattern.parse("\(method) \(path)", options: TargetOptions())
    }
}
