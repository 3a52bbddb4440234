/// Reads a YAML tree as a shape: replaces references to the environment, checks every value, fills in defaults, and
/// collects every problem on the way. What has a problem is left out of the result.
struct SchemaReader {
    let environment: ConfigurationEnvironment
    private(set) var problems: [ConfigurationProblem] = []

    init(environment: ConfigurationEnvironment) {
        self.environment = environment
    }

    mutating func report(_ message: String, at mark: Mark, path: String, suggestion: String? = nil) {
        self.problems.append(
            ConfigurationProblem(mark: mark, path: path, message: message, suggestion: suggestion))
    }

    /// Whether there is a problem at a key or below it.
    func hasProblem(under path: String) -> Bool {
        self.problems.contains {
            $0.path == path || $0.path.hasPrefix("\(path).") || $0.path.hasPrefix("\(path)[")
        }
    }

    /// The value of `node`, or nil if it has a problem that leaves nothing of it.
    mutating func read(_ node: ConfigurationNode, as shape: Shape, path: String) -> Field? {
        if node.isNull {
            self.report("has no value: give it one or remove the key", at: node.mark, path: path)
            return nil
        }
        switch node {
        case .scalar(let text, let style, let mark):
            return self.readScalar(text, style: style, mark: mark, as: shape, path: path)
        case .sequence(let items, let mark):
            guard case .list(let item, let minimum, _)? = shape.alternative(for: .list) else { break }
            return self.readList(items, mark: mark, of: item, minimum: minimum, path: path)
        case .mapping(let pairs, let mark):
            guard let alternative = shape.alternative(for: .mapping) else { break }
            return self.readMapping(pairs, mark: mark, as: alternative, path: path)
        }
        self.reportForm(of: node, wanted: shape, path: path)
        return nil
    }

    private mutating func readList(
        _ items: [ConfigurationNode], mark: Mark, of shape: Shape, minimum: Int, path: String
    ) -> Field? {
        guard items.count >= minimum else {
            self.report("is empty: give it a value or remove the key", at: mark, path: path)
            return nil
        }
        var fields: [Field] = []
        for (index, item) in items.enumerated() {
            if let field = self.read(item, as: shape, path: "\(path)[\(index)]") { fields.append(field) }
        }
        return Field(value: .list(fields), mark: mark, path: path)
    }

    private mutating func readMapping(
        _ pairs: [ConfigurationNode.Pair], mark: Mark, as shape: Shape, path: String
    ) -> Field? {
        switch shape {
        case .section(let section):
            return self.readSection(pairs, mark: mark, as: section, path: path)
        case .entries(let key, let item, _):
            return self.readEntries(pairs, mark: mark, key: key, of: item, path: path)
        case .secret(let minimum):
            return self.readSecretFile(pairs, mark: mark, minimum: minimum, path: path)
        case .object:
            let members = self.readJSON(.mapping(pairs, mark: mark), path: path)
            return members.map { Field(value: .json($0), mark: mark, path: path) }
        case .list(let item, _, true):
            return self.read(.mapping(pairs, mark: mark), as: item, path: "\(path)[0]")
                .map { Field(value: .list([$0]), mark: mark, path: path) }
        default:
            return nil
        }
    }

    /// A scalar where a list or mapping is wanted, and the like.
    private mutating func reportForm(of node: ConfigurationNode, wanted: Shape, path: String) {
        let form = if case .sequence = node { "a list" } else { "a mapping" }
        if case .mapping(let pairs, _) = node, pairs.count == 1, let pair = pairs.first, pair.value.isNull,
            case .scalar(let name, _, _) = pair.key, wanted.accepts(.scalar)
        {
            self.report(
                "must be \(wanted.wanted), not a mapping; a string with braces wants quotes: \"{\(name)}\"",
                at: node.mark, path: path)
            return
        }
        self.report("must be \(wanted.wanted), not \(form)", at: node.mark, path: path)
    }
}

extension Shape {
    /// The alternative that a node of this form is read as.
    func alternative(for form: Form) -> Shape? {
        if case .either(let shapes) = self {
            return shapes.lazy.compactMap { $0.alternative(for: form) }.first
        }
        return self.accepts(form) ? self : nil
    }

    /// What is wanted, for messages: "must be …".
    var wanted: String {
        switch self {
        case .text(let format): format.description
        case .secret: "a string or {file: …}"
        case .boolean: "true or false"
        case .integer(let range):
            range.count == 1 ? "\(range.lowerBound)" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .duration: "a duration such as \"30s\""
        case .size: "a size such as \"32KiB\""
        case .choice(let words):
            (words.count == 1 ? "" : "one of ") + words.map { "\"\($0)\"" }.joined(separator: ", ")
        case .list(let item, _, let single):
            single ? "\(item.wanted), or a list" : "a list"
        case .section, .entries: "a mapping"
        case .scalar: "a string, a number, true or false"
        case .object: "a mapping"
        case .either(let shapes): shapes.map(\.wanted).joined(separator: " or ")
        }
    }
}
