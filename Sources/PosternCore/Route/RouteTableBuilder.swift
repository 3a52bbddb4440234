/// Builds the arrays of a `RouteTable`. Runs at load; simplicity before speed.
struct RouteTableBuilder {
    private struct Literal: Hashable {
        var parent: Int
        var bytes: [UInt8]
    }

    private struct Leaf {
        /// The route of each column, -1 where none is declared.
        var columns = [Int](repeating: -1, count: RouteTable.columns)
        var others: [[UInt8]: Int] = [:]
    }

    private var nodes = [RouteTable.Node()]
    private var children: [Literal: Int] = [:]
    /// The keys of `children` in the order they came, so that equal input makes equal tables.
    private var order: [Literal] = []
    private var leaves: [Leaf] = []
    private var leafOfPattern: [Int32] = []
    private var endOfPattern: [Int32] = []

    mutating func add(_ pattern: RoutePattern, index: Int) throws(RouteConflict) {
        var node = 0
        var isRest = false
        for segment in pattern.segments {
            switch segment {
            case .literal(let bytes): node = self.child(of: node, bytes)
            case .parameter: node = self.parameterChild(of: node)
            case .rest: isRest = true
            }
        }
        let leaf = self.leaf(at: node, isRest: isRest)
        self.leafOfPattern.append(Int32(truncatingIfNeeded: leaf))
        self.endOfPattern.append(Int32(truncatingIfNeeded: node))
        try self.declare(pattern.methods, at: leaf, route: index)
    }

    private mutating func child(of node: Int, _ bytes: [UInt8]) -> Int {
        let key = Literal(parent: node, bytes: bytes)
        if let known = self.children[key] { return known }
        self.nodes.append(RouteTable.Node())
        self.children[key] = self.nodes.count - 1
        self.order.append(key)
        self.nodes[node].hasLiterals = true
        return self.nodes.count - 1
    }

    private mutating func parameterChild(of node: Int) -> Int {
        if self.nodes[node].parameter >= 0 { return Int(self.nodes[node].parameter) }
        self.nodes.append(RouteTable.Node())
        self.nodes[node].parameter = Int32(truncatingIfNeeded: self.nodes.count - 1)
        return self.nodes.count - 1
    }

    private mutating func leaf(at node: Int, isRest: Bool) -> Int {
        let known = isRest ? self.nodes[node].rest : self.nodes[node].leaf
        if known >= 0 { return Int(known) }
        let leaf = Int32(truncatingIfNeeded: self.leaves.count)
        self.leaves.append(Leaf())
        if isRest { self.nodes[node].rest = leaf } else { self.nodes[node].leaf = leaf }
        return Int(leaf)
    }

    private mutating func declare(
        _ methods: RoutePattern.Methods, at leaf: Int, route: Int
    ) throws(RouteConflict) {
        switch methods {
        case .any:
            try self.declare(column: RouteTable.anyColumn, at: leaf, route: route)
        case .named(let names):
            for name in names {
                if let method = Method(name: name) {
                    try self.declare(column: Int(method.rawValue), at: leaf, route: route)
                } else {
                    let token = [UInt8](name.utf8)
                    if let first = self.leaves[leaf].others[token] { throw RouteConflict(first: first, second: route) }
                    self.leaves[leaf].others[token] = route
                }
            }
        }
    }

    private mutating func declare(column: Int, at leaf: Int, route: Int) throws(RouteConflict) {
        let first = self.leaves[leaf].columns[column]
        guard first < 0 else { throw RouteConflict(first: first, second: route) }
        self.leaves[leaf].columns[column] = route
    }
}

// MARK: - Flat arrays

extension RouteTableBuilder {
    func finish(maximumParameters: Int) -> RouteTable {
        var literals: [UInt8] = []
        let edges = self.makeEdges(&literals)
        var methods: [Int32] = []
        var others: [RouteTable.OtherMethod] = []
        for (index, leaf) in self.leaves.enumerated() {
            methods += Self.row(of: leaf)
            let names = leaf.others.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (name, route) in names {
                others.append(
                    RouteTable.OtherMethod(
                        leaf: Int32(truncatingIfNeeded: index), route: Int32(truncatingIfNeeded: route), name: name))
            }
        }
        return RouteTable(
            nodes: self.nodes, edges: edges, shift: UInt64(64 - edges.count.trailingZeroBitCount), literals: literals,
            methods: methods, others: others, leaves: self.leafOfPattern, ends: self.endOfPattern,
            maximumParameters: maximumParameters)
    }

    /// A named method beats `ANY`; `GET` stands for `HEAD` where the same path has none.
    private static func row(of leaf: Leaf) -> [Int32] {
        var columns = leaf.columns
        let get = Int(Method.get.rawValue)
        let head = Int(Method.head.rawValue)
        if columns[head] < 0 { columns[head] = columns[get] }
        let any = columns[RouteTable.anyColumn]
        return columns.map { Int32(truncatingIfNeeded: $0 < 0 ? any : $0) }
    }

    private func makeEdges(_ literals: inout [UInt8]) -> [RouteTable.Edge] {
        var capacity = 2
        while capacity * 3 < self.order.count * 4 { capacity *= 2 }
        let free = RouteTable.Edge(head: 0, parent: -1, child: -1, offset: 0, length: 0)
        var edges = [RouteTable.Edge](repeating: free, count: capacity)
        let shift = UInt64(64 - capacity.trailingZeroBitCount)
        for literal in self.order {
            guard let child = self.children[literal] else { continue }
            let scan = SegmentScan(literal: literal.bytes)
            var slot = RouteTable.slot(of: scan.hash, parent: Int32(truncatingIfNeeded: literal.parent), shift: shift)
            while edges[slot].child >= 0 { slot = (slot + 1) & (capacity - 1) }
            edges[slot] = RouteTable.Edge(
                head: scan.head, parent: Int32(truncatingIfNeeded: literal.parent),
                child: Int32(truncatingIfNeeded: child), offset: Int32(truncatingIfNeeded: literals.count),
                length: Int32(truncatingIfNeeded: literal.bytes.count))
            literals += literal.bytes
        }
        return edges
    }
}

extension RouteTable {
    /// Where the search for a literal begins.
    @inline(__always)
    static func slot(of hash: UInt64, parent: Int32, shift: UInt64) -> Int {
        let mixed = (hash ^ UInt64(UInt32(bitPattern: parent)) &* 0xD6E8_FEB8_6659_FD93) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed &>> shift)
    }
}
