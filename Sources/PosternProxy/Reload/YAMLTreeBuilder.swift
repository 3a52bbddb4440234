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

    let text: YAMLText
    let limits: YAMLLimits
    private(set) var size = Size()
    private var anchors: [String: Anchored] = [:]

    init(text: YAMLText, limits: YAMLLimits) {
        self.text = text
        self.limits = limits
    }

    func problem(_ message: String, at mark: Mark) -> ConfigurationProblem {
        ConfigurationProblem(mark: self.text.original(mark), path: "", message: message)
    }

    func checkTag(_ tag: String, at mark: Mark) throws(ConfigurationProblem) {
        guard tag.isEmpty else {
            throw self.problem("tags such as \"!\(Self.short(tag))\" are not supported", at: mark)
        }
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

    mutating func scalar(
        _ string: String, isPlain: Bool, at mark: Mark, depth: Int
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        if isPlain, let name = self.text.aliasName(string) { return try self.resolve(name, at: mark, depth: depth) }
        let text = self.text.restored(string)
        try self.add(Size(nodes: 1, bytes: text.utf8.count), at: mark)
        return .scalar(text, style: isPlain ? .plain : .quoted, mark: self.text.original(mark))
    }

    mutating func key(
        _ string: String, isPlain: Bool, at mark: Mark
    ) throws(ConfigurationProblem) -> ConfigurationNode {
        let text = self.text.key(string, at: mark)
        guard !isPlain || self.text.aliasName(text) == nil else {
            throw self.problem("a key cannot be an alias: write it out", at: mark)
        }
        let key = self.text.restored(text)
        try self.add(Size(nodes: 1, bytes: key.utf8.count), at: mark)
        return .scalar(key, style: isPlain ? .plain : .quoted, mark: self.text.original(mark))
    }

    private mutating func resolve(
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
    mutating func define(_ anchor: String, as node: ConfigurationNode, since before: Size, depth: Int) {
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
