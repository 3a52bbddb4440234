/// All routes, compiled once to flat arrays: a tree whose literal branches share one hash table, so that a match costs
/// the same with ten routes and with ten thousand.
///
/// A route is the index of its pattern in the array the table was made from.
public struct RouteTable: Sendable {
    /// A place in the tree, between two segments. Absent links are -1.
    struct Node: Sendable {
        /// What a `{name}` segment leads to.
        var parameter: Int32 = -1
        /// The leaf of a `{name...}` here.
        var rest: Int32 = -1
        /// The leaf of a path that ends here.
        var leaf: Int32 = -1
        var hasLiterals = false
    }

    /// A literal segment: one slot of the hash table. `child` is -1 in a free slot.
    struct Edge: Sendable {
        var head: UInt64
        var parent: Int32
        var child: Int32
        /// Where all of its bytes stand in `literals`.
        var offset: Int32
        var length: Int32
    }

    /// A method that is not one of the registered ones, at one leaf.
    struct OtherMethod: Sendable {
        var leaf: Int32
        var route: Int32
        var name: [UInt8]
    }

    /// One row of `methods` for each leaf: the registered methods in the order of `Method`, then `ANY`.
    static let columns = Method.allCases.count
    static let anyColumn = Int(Method.other.rawValue)

    var nodes: [Node]
    /// Open addressing; a power of two, at most three quarters full.
    var edges: [Edge]
    /// How far a hash is shifted to give a slot.
    var shift: UInt64
    var literals: [UInt8]
    /// The route of each leaf and method, or -1. `GET` and `ANY` are already filled in where they stand for others.
    var methods: [Int32]
    /// Sorted by leaf.
    var others: [OtherMethod]
    /// Where each pattern ends: its leaf.
    var leaves: [Int32]
    /// The node that holds each pattern's leaf.
    var ends: [Int32]
    /// The largest number of parameters in one pattern.
    public let maximumParameters: Int

    /// Compiles the patterns. Throws when two are the same but for parameter names and share a method.
    public init(_ patterns: [RoutePattern]) throws(RouteConflict) {
        var builder = RouteTableBuilder()
        for (index, pattern) in patterns.enumerated() { try builder.add(pattern, index: index) }
        self = builder.finish(maximumParameters: patterns.map { $0.parameters.count }.max() ?? 0)
    }

    init(
        nodes: [Node], edges: [Edge], shift: UInt64, literals: [UInt8], methods: [Int32], others: [OtherMethod],
        leaves: [Int32], ends: [Int32], maximumParameters: Int
    ) {
        self.nodes = nodes
        self.edges = edges
        self.shift = shift
        self.literals = literals
        self.methods = methods
        self.others = others
        self.leaves = leaves
        self.ends = ends
        self.maximumParameters = maximumParameters
    }
}

/// Two patterns that are the same but for parameter names, by index. They share at least one method.
public struct RouteConflict: Error, Equatable, Sendable {
    public var first: Int
    public var second: Int

    public init(first: Int, second: Int) {
        self.first = first
        self.second = second
    }
}

/// What a path and a method come to.
public enum RouteMatch: Equatable, Sendable {
    /// The most specific route for both, by index.
    case route(Int)
    /// Routes declare the path, but none of them the method: 405.
    case methodNotAllowed
    /// No route declares the path: `default` decides.
    case undeclared
}
