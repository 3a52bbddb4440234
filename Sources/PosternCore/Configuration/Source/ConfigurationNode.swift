/// A YAML document as its author wrote it: every scalar is text, duplicate keys are still there, aliases are resolved.
///
/// Made by the YAML reader of the shell. Its depth and size are bounded there.
public indirect enum ConfigurationNode: Equatable, Sendable {
    /// How a scalar was written. Only a plain one can be a number, a boolean or null.
    public enum Style: Equatable, Sendable {
        case plain
        /// In single or double quotes, or a block scalar: always text.
        case quoted
    }

    /// One `key: value` of a mapping.
    public struct Pair: Equatable, Sendable {
        public var key: ConfigurationNode
        public var value: ConfigurationNode

        public init(key: ConfigurationNode, value: ConfigurationNode) {
            self.key = key
            self.value = value
        }
    }

    case scalar(String, style: Style, mark: Mark)
    case sequence([ConfigurationNode], mark: Mark)
    case mapping([Pair], mark: Mark)

    /// Where the node begins.
    public var mark: Mark {
        switch self {
        case .scalar(_, _, let mark), .sequence(_, let mark), .mapping(_, let mark): mark
        }
    }

    /// Whether nothing was written: `key:`, `~` or `null`.
    public var isNull: Bool {
        guard case .scalar(let text, .plain, _) = self else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }
}
