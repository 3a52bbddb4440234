import PosternCore

/// How large a YAML document may be.
public struct YAMLLimits: Equatable, Sendable {
    /// Bytes of the file.
    public var size: Int
    /// The deepest nesting, aliases included.
    public var depth: Int
    /// The most nodes, and bytes of text, after aliases are resolved.
    public var nodes: Int
    public var bytes: Int

    /// A proxy.yaml.
    public static let configuration = YAMLLimits(size: 1 << 20, depth: 32, nodes: 200_000, bytes: 4 << 20)

    /// A service's description of itself.
    public static let description = YAMLLimits(
        size: ServiceDescription.maximumSize, depth: ServiceDescription.maximumDepth,
        nodes: ServiceDescription.maximumNodes, bytes: 2 * ServiceDescription.maximumSize)
}
