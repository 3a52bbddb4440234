public import PosternCore
import Yams

/// Reads YAML into the tree that the core validates. The only file that knows Yams.
///
/// Yams resolves aliases while it composes, compares keys by hashing whole trees, and stops at the first repeated key.
/// So the text is prepared (`YAMLText`) such that it sees aliases as plain scalars and repeated keys as different ones;
/// what they were is restored here, with bounds: no document grows by its aliases beyond them.
public enum YAMLReader {
    /// How many repeated keys are looked for before the rest is left for the next attempt.
    private static let maximumRepeats = 64

    /// The document's tree, or what is wrong with its YAML. There is exactly one document.
    public static func read(
        _ bytes: [UInt8], limits: YAMLLimits = .configuration
    ) -> Result<ConfigurationNode, ConfigurationProblems> {
        do {
            return .success(try Self.parse(bytes, limits: limits))
        } catch {
            return .failure(ConfigurationProblems([error]))
        }
    }

    private static func parse(
        _ bytes: [UInt8], limits: YAMLLimits
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        guard bytes.count <= limits.size else {
            throw ConfigurationProblem(
                mark: PosternCore.Mark(line: 1, column: 1), path: "",
                message: "the file is larger than \(limits.size >> 20) MiB")
        }
        var text = try YAMLText(bytes)
        var repeats = 0
        while true {
            switch Self.compose(text, limits) {
            case .success(let tree):
                return tree
            case .failure(.problem(let problem)):
                throw problem
            case .failure(.repeatedKeys(let keys, let mark)):
                repeats += 1
                guard repeats <= Self.maximumRepeats, text.distinguishKey(at: mark) else {
                    throw ConfigurationProblem(
                        mark: text.original(mark), path: "",
                        message: "keys are written twice: \(keys.joined(separator: ", "))")
                }
            }
        }
    }

    private enum Failure: Error {
        case problem(ConfigurationProblem)
        /// Two keys of one mapping are the same; the mark is that of the first, in the prepared text.
        case repeatedKeys([String], PosternCore.Mark)
    }

    private static func compose(_ text: YAMLText, _ limits: YAMLLimits) -> Result<ConfigurationNode, Failure> {
        do {
            // Without rules a scalar is a string: what it stands for is the core's business. The parser owns the
            // anchors of its nodes, so it has to live as long as they are read.
            let parser = try Parser(yaml: text.prepared, resolver: .basic, encoding: .utf8)
            return try withExtendedLifetime(parser) {
                guard let root = try parser.nextRoot() else {
                    let start = PosternCore.Mark(line: 1, column: 1)
                    return .success(.scalar("", style: .plain, mark: start))
                }
                if let second = try parser.nextRoot() {
                    return .failure(.problem(Self.secondDocument(second, in: text)))
                }
                var builder = YAMLTreeBuilder(text: text, limits: limits)
                return .success(try Self.node(root, with: &builder, depth: 1))
            }
        } catch let problem as ConfigurationProblem {
            return .failure(.problem(problem))
        } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
            return .failure(.repeatedKeys(keys.map { text.restored($0) }, Self.mark(context.mark)))
        } catch {
            return .failure(.problem(Self.problem(error, in: text)))
        }
    }

    private static func mark(_ mark: Yams.Mark?) -> PosternCore.Mark {
        PosternCore.Mark(line: max(1, mark?.line ?? 1), column: max(1, mark?.column ?? 1))
    }
}

// MARK: - Nodes

extension YAMLReader {
    private static func node(
        _ node: Node, with builder: inout YAMLTreeBuilder, depth: Int
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        let mark = Self.mark(node.mark)
        let before = builder.size
        let result: ConfigurationNode
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain
            let tag = scalar.tag.description
            // What is in quotes has the tag of a string, written or not.
            try builder.checkTag(!isPlain && tag == Tag.Name.str.rawValue ? "" : tag, at: mark)
            result = try builder.scalar(scalar.string, isPlain: isPlain, at: mark, depth: depth)
        case .sequence(let sequence):
            try builder.checkTag(sequence.tag.description, at: mark)
            try builder.enter(at: mark, depth: depth)
            var items: [ConfigurationNode] = []
            for item in sequence { items.append(try Self.node(item, with: &builder, depth: depth + 1)) }
            result = .sequence(items, mark: builder.text.original(mark))
        case .mapping(let mapping):
            try builder.checkTag(mapping.tag.description, at: mark)
            try builder.enter(at: mark, depth: depth)
            var pairs: [ConfigurationNode.Pair] = []
            for pair in mapping {
                let key = try Self.key(pair.key, with: &builder, depth: depth + 1)
                let value = try Self.node(pair.value, with: &builder, depth: depth + 1)
                pairs.append(ConfigurationNode.Pair(key: key, value: value))
            }
            result = .mapping(pairs, mark: builder.text.original(mark))
        case .alias:
            // Parsers do not make these, and the prepared text has no alias.
            throw builder.problem("an alias cannot be used here", at: mark)
        }
        if let anchor = node.anchor?.rawValue { builder.define(anchor, as: result, since: before, depth: depth) }
        return result
    }

    private static func key(
        _ node: Node, with builder: inout YAMLTreeBuilder, depth: Int
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        let mark = Self.mark(node.mark)
        guard case .scalar(let scalar) = node else {
            throw builder.problem("a key must be a string: quote it if it begins with { or [", at: mark)
        }
        // Comparing keys has given them the tag of a string.
        let tag = scalar.tag.description
        try builder.checkTag(tag == Tag.Name.str.rawValue ? "" : tag, at: mark)
        let result = try builder.key(scalar.string, isPlain: scalar.style == .plain, at: mark)
        if let anchor = scalar.anchor?.rawValue {
            builder.define(anchor, as: result, since: builder.size, depth: depth)
        }
        return result
    }
}

// MARK: - Errors of Yams

extension YAMLReader {
    private static func secondDocument(_ node: Node, in text: YAMLText) -> ConfigurationProblem {
        ConfigurationProblem(
            mark: text.original(Self.mark(node.mark)), path: "",
            message: "a second document begins here: the file must hold one")
    }

    private static func problem(_ error: any Error, in text: YAMLText) -> ConfigurationProblem {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            // What is not closed began where the context says; its end is the end of the file.
            let isUnclosed = problem.contains("unexpected end of stream") && context != nil
            return text.syntaxProblem(
                problem, context: context?.text, at: Self.mark(isUnclosed ? context?.mark : mark))
        case YamlError.memory:
            return ConfigurationProblem(
                mark: PosternCore.Mark(line: 1, column: 1), path: "", message: "the YAML is nested too deeply")
        case YamlError.reader(let problem, _, _, _):
            return ConfigurationProblem(
                mark: PosternCore.Mark(line: 1, column: 1), path: "", message: "not valid YAML: \(problem)")
        default:
            return ConfigurationProblem(
                mark: PosternCore.Mark(line: 1, column: 1), path: "", message: "not valid YAML")
        }
    }
}
