import PosternCore

/// Resolves aliases and counts what they cost.
struct YAMLTreeBuilder {
    /// How much of a tree there is.
    struct Size {
        var nodes = 0
        var bytes = 0
    }

    private struct Anchored {
        var node: ConfigurationNode
        var size: Size
        /// How many levels the node has below itself.
        var height: Int
    }

    let limits: YAMLLimits
    private(set) var size = Size()
    private var anchors: [String: Anchored] = [:]

    init(limits: YAMLLimits) {
        self.limits = limits
    }

    func problem(_ message: String, at mark: Mark) -> ConfigurationProblem {
        ConfigurationProblem(mark: mark, path: "", message: message)
    }

    /// Refuses what says of itself that it is something special; `allowsString`: that it is a string may be said.
    func checkTag(_ event: YAMLEvent, allowsString: Bool = false) throws(ConfigurationProblem) {
        guard let tag = event.tag, !(allowsString && tag == "tag:yaml.org,2002:str") else { return }
        throw self.problem("tags such as \"!\(Self.short(tag))\" are not supported", at: event.mark)
    }

    private static func short(_ tag: String) -> Substring {
        let name = tag.split(whereSeparator: { $0 == ":" || $0 == "!" }).last ?? ""
        return name.prefix(32)
    }

    /// Counts a collection.
    mutating func enter(at mark: Mark, depth: Int) throws(ConfigurationProblem) {
        guard depth <= self.limits.depth else {
            throw self.problem("nested more than \(self.limits.depth) levels deep", at: mark)
        }
        try self.add(Size(nodes: 1, bytes: 0), at: mark)
    }

    private mutating func add(_ size: Size, at mark: Mark) throws(ConfigurationProblem) {
        self.size.nodes += size.nodes
        self.size.bytes += size.bytes
        guard self.size.nodes <= self.limits.nodes, self.size.bytes <= self.limits.bytes else {
            throw self.problem("the aliases of the file stand for too much", at: mark)
        }
    }

    /// Counts a scalar.
    mutating func scalar(
        _ text: String, isPlain: Bool, at mark: Mark
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        try self.add(Size(nodes: 1, bytes: text.utf8.count), at: mark)
        return .scalar(text, style: isPlain ? .plain : .quoted, mark: mark)
    }

    /// The node of an anchor, counted once more.
    mutating func resolve(
        _ name: String, at mark: Mark, depth: Int
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        guard let anchored = self.anchors[name] else {
            throw self.problem("there is no anchor \"&\(name)\" before this alias", at: mark)
        }
        guard depth + anchored.height <= self.limits.depth else {
            throw self.problem("nested more than \(self.limits.depth) levels deep", at: mark)
        }
        try self.add(anchored.size, at: mark)
        return anchored.node
    }

    /// Names a node. `before` is the size when it began: what was added since is its own.
    mutating func define(_ anchor: String, as node: ConfigurationNode, since before: Size) {
        let size = Size(nodes: self.size.nodes - before.nodes, bytes: self.size.bytes - before.bytes)
        self.anchors[anchor] = Anchored(node: node, size: size, height: Self.height(node))
    }

    private static func height(_ node: ConfigurationNode) -> Int {
        switch node {
        case .scalar: 0
        case .sequence(let items, _): 1 + (items.map { Self.height($0) }.max() ?? 0)
        case .mapping(let pairs, _): 1 + (pairs.map { Self.height($0.value) }.max() ?? 0)
        }
    }
}
