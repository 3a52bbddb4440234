public import PosternCore

/// Reads YAML into the tree that the core validates.
///
/// The tree is made from the parser's events, such that every repeated key is in it (to name them all is the core's business),
/// and that aliases are resolved within bounds: no document grows by them beyond `YAMLLimits`.
public enum YAMLReader {
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
        let start = Mark(line: 1, column: 1)
        guard bytes.count <= limits.size else {
            throw ConfigurationProblem(
                mark: start, path: "", message: "the file is larger than \(limits.size >> 20) MiB")
        }
        var events = try YAMLEvents(try YAMLText(bytes))
        _ = try events.next()
        guard try events.next().kind == .documentStart else { return .scalar("", style: .plain, mark: start) }
        var builder = YAMLTreeBuilder(limits: limits)
        let root = try Self.node(try events.next(), of: &events, with: &builder, depth: 1)
        _ = try events.next()
        if try events.next().kind == .documentStart {
            throw ConfigurationProblem(
                mark: try events.next().mark, path: "",
                message: "a second document begins here: the file must hold one")
        }
        return root
    }

    /// The node that begins with `event`.
    private static func node(
        _ event: YAMLEvent, of events: inout YAMLEvents, with builder: inout YAMLTreeBuilder, depth: Int
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        let before = builder.size
        let result: ConfigurationNode
        switch event.kind {
        case .alias(let name):
            return try builder.resolve(name, at: event.mark, depth: depth)
        case .scalar(let text, let isPlain):
            // What is in quotes is a string, and may say so.
            try builder.checkTag(event, allowsString: !isPlain)
            result = try builder.scalar(text, isPlain: isPlain, at: event.mark)
        case .sequenceStart:
            try builder.checkTag(event)
            try builder.enter(at: event.mark, depth: depth)
            var items: [ConfigurationNode] = []
            while case let item = try events.next(), item.kind != .collectionEnd {
                items.append(try Self.node(item, of: &events, with: &builder, depth: depth + 1))
            }
            result = .sequence(items, mark: event.mark)
        case .mappingStart:
            try builder.checkTag(event)
            try builder.enter(at: event.mark, depth: depth)
            var pairs: [ConfigurationNode.Pair] = []
            while case let first = try events.next(), first.kind != .collectionEnd {
                let key = try Self.key(first, with: &builder)
                let value = try Self.node(try events.next(), of: &events, with: &builder, depth: depth + 1)
                pairs.append(ConfigurationNode.Pair(key: key, value: value))
            }
            result = .mapping(pairs, mark: event.mark)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .collectionEnd:
            throw builder.problem("not valid YAML: a value is missing", at: event.mark)
        }
        if let anchor = event.anchor { builder.define(anchor, as: result, since: before) }
        return result
    }

    private static func key(
        _ event: YAMLEvent, with builder: inout YAMLTreeBuilder
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        switch event.kind {
        case .scalar(let text, let isPlain):
            try builder.checkTag(event, allowsString: true)
            let before = builder.size
            let result = try builder.scalar(text, isPlain: isPlain, at: event.mark)
            if let anchor = event.anchor { builder.define(anchor, as: result, since: before) }
            return result
        case .alias:
            throw builder.problem("a key cannot be an alias: write it out", at: event.mark)
        default:
            throw builder.problem("a key must be a string: quote it if it begins with { or [", at: event.mark)
        }
    }
}
