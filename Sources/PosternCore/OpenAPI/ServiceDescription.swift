/// What a service says of itself in an OpenAPI document (2.0, 3.0, 3.1, 3.2): which operations it has, and whom it lets
/// through to each.
public struct ServiceDescription: Equatable, Sendable {
    /// The largest document, in bytes, and how deeply and how much it may hold.
    public static let maximumSize = 16 << 20
    public static let maximumDepth = 128
    public static let maximumNodes = 2_000_000
    /// The most operations.
    static let maximumOperations = 10_000

    /// A place in the document, and the key path there.
    public struct Place: Equatable, Sendable {
        public var mark: Mark
        public var path: String
    }

    /// Something about the document as a whole that a person should know.
    public struct Remark: Equatable, Sendable {
        public var place: Place
        public var message: String
    }

    /// One method of one path.
    public struct Operation: Equatable, Sendable {
        /// In upper case, as requests have it.
        public var method: String
        /// The path with its base path, as the document writes it.
        public var path: String
        var template: PathTemplate
        public var need: SecurityNeed
        public var place: Place

        /// `GET /users/{id}`, as the document says it.
        public var text: String { "\(self.method) \(self.path)" }
    }

    /// `info.title`; may be empty.
    public var title: String
    /// `OpenAPI 3.1.0`.
    public var format: String
    /// In the order of the document.
    public var operations: [Operation]
    public var remarks: [Remark]
}

extension ServiceDescription {
    /// Reads a document. One with errors yields all of them at once, each with its place.
    ///
    /// Only what this type has is looked at; keys are written once everywhere. A reference leads to another place of the
    /// same document, or is an error.
    ///
    /// - Parameter basePath: what stands before every path, in place of what the document's servers say; without a
    ///   slash at its end, perhaps empty.
    public static func read(
        _ document: ConfigurationNode, basePath: String? = nil
    ) -> Result<ServiceDescription, ConfigurationProblems> {
        let repeats = RepeatedKeys.problems(in: document)
        guard repeats.isEmpty else { return .failure(ConfigurationProblems(repeats)) }
        var reader = DescriptionReader(document, basePath: basePath)
        return reader.read()
    }
}

/// Keys that are written twice: two readers of such a document see two different ones.
private struct RepeatedKeys {
    /// How many are reported.
    private static let limit = 20
    private var problems: [ConfigurationProblem] = []

    static func problems(in document: ConfigurationNode) -> [ConfigurationProblem] {
        var search = RepeatedKeys()
        search.visit(document)
        return search.problems
    }

    /// The tree's depth is bounded by its reader.
    private mutating func visit(_ node: ConfigurationNode) {
        switch node {
        case .scalar: return
        case .sequence(let items, _): for item in items { self.visit(item) }
        case .mapping(let pairs, _):
            var lines: [String: Int] = [:]
            for pair in pairs {
                self.visit(pair.value)
                guard self.problems.count < Self.limit, case .scalar(let key, _, let mark) = pair.key else { continue }
                if let line = lines[key] {
                    self.problems.append(
                        ConfigurationProblem(
                            mark: mark, path: key, message: "is written twice; the first is in line \(line)"))
                } else {
                    lines[key] = mark.line
                }
            }
        }
    }
}
