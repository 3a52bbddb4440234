// Finding a route. Depth first, and at each segment literal before `{name}` before `{name...}`: the first leaf that has
// the method is the most specific route for path and method.

extension RouteTable {
    /// What a walk came to. Leaves hold route indexes from 0 up.
    private static let undeclared: Int32 = -1
    private static let otherMethods: Int32 = -2

    /// Finds the most specific route for a checked path and a method. Allocates nothing once `captures` has grown.
    ///
    /// - Parameters:
    ///   - path: the path of a `CheckedTarget`; empty means `/`.
    ///   - hasEscapes: whether the path has a `%`.
    ///   - methodToken: the method as sent; looked at only for `Method.other`.
    ///   - captures: set to the route's parameters when there is one, emptied otherwise.
    public func match(
        _ bytes: RawSpan, path: ByteRange, hasEscapes: Bool, method: Method, methodToken: ByteRange,
        captures: inout Captures
    ) -> RouteMatch {
        captures.removeAll()
        let query = Query(
            limit: Int(path.end), hasEscapes: hasEscapes, column: Int(method.rawValue), methodToken: methodToken)
        let start = path.isEmpty ? Int(path.end) : Int(path.start) &+ 1
        let found = self.walk(bytes, query, from: 0, at: start, parameters: 0, captures: &captures)
        if found >= 0 { return .route(Int(found)) }
        return found == Self.otherMethods ? .methodNotAllowed : .undeclared
    }

    /// What stays the same during one match.
    struct Query {
        /// Where the path ends.
        var limit: Int
        var hasEscapes: Bool
        var column: Int
        var methodToken: ByteRange
    }

    /// Searches the tree below the node `index` for what is left of the path from `position`. A match visits each node
    /// at most once, and goes no deeper than the longest pattern.
    private func walk(
        _ bytes: RawSpan, _ query: Query, from index: Int, at position: Int, parameters: Int,
        captures: inout Captures
    ) -> Int32 {
        let node = self.nodes[index]
        let segment =
            query.hasEscapes
            ? SegmentScan(escaped: bytes, from: position, limit: query.limit)
            : SegmentScan(plain: bytes, from: position, limit: query.limit)
        var outcome = Self.undeclared
        if node.hasLiterals {
            let child = self.child(of: index, segment, bytes, ByteRange(position, segment.end), query.hasEscapes)
            if child >= 0 {
                let found = self.enter(
                    child, bytes, query, end: segment.end, parameters: parameters, captures: &captures)
                if found >= 0 { return found }
                outcome = min(outcome, found)
            }
        }
        if node.parameter >= 0, segment.end > position {
            captures.set(parameters, ByteRange(position, segment.end))
            let found = self.enter(
                Int(node.parameter), bytes, query, end: segment.end, parameters: parameters &+ 1, captures: &captures)
            if found >= 0 { return found }
            outcome = min(outcome, found)
        }
        if node.rest >= 0 {
            let found = self.route(at: node.rest, bytes, query)
            guard found >= 0 else { return min(outcome, found) }
            captures.set(parameters, ByteRange(position, query.limit))
            captures.finish(parameters &+ 1)
            return found
        }
        return outcome
    }

    /// Goes on at the node `index` after a segment that ends at `end`: to its leaf if the path ends there as well.
    @inline(__always)
    private func enter(
        _ index: Int, _ bytes: RawSpan, _ query: Query, end: Int, parameters: Int, captures: inout Captures
    ) -> Int32 {
        guard end == query.limit else {
            return self.walk(bytes, query, from: index, at: end &+ 1, parameters: parameters, captures: &captures)
        }
        let found = self.route(at: self.nodes[index].leaf, bytes, query)
        if found >= 0 { captures.finish(parameters) }
        return found
    }

    /// The node that the literal segment leads to from `parent`; -1 if there is none.
    @inline(__always)
    func child(
        of parent: Int, _ segment: SegmentScan, _ bytes: RawSpan, _ range: ByteRange, _ hasEscapes: Bool
    ) -> Int {
        let parent = Int32(truncatingIfNeeded: parent)
        var slot = Self.slot(of: segment.hash, parent: parent, shift: self.shift)
        while true {
            let edge = self.edges[slot]
            if edge.child < 0 { return -1 }
            if edge.head == segment.head, edge.parent == parent, Int(edge.length) == segment.length,
                segment.length <= 8 || self.isEqual(edge, bytes, range, hasEscapes)
            {
                return Int(edge.child)
            }
            slot = (slot &+ 1) & (self.edges.count &- 1)
        }
    }

    /// Compares a segment of more than eight bytes, whatever its hash: a match never rests on a hash alone.
    private func isEqual(_ edge: Edge, _ bytes: RawSpan, _ range: ByteRange, _ hasEscapes: Bool) -> Bool {
        let offset = Int(edge.offset)
        let literal = self.literals.span.bytes.slice(ByteRange(offset, offset &+ Int(edge.length)))
        return hasEscapes ? bytes.decodedEquals(range, literal) : bytes.slice(range).equals(literal)
    }

    /// The route of a leaf for the method; `otherMethods` where the leaf has only others, `undeclared` without a leaf.
    @inline(__always)
    private func route(at leaf: Int32, _ bytes: RawSpan, _ query: Query) -> Int32 {
        guard leaf >= 0 else { return Self.undeclared }
        if query.column == Self.anyColumn {
            let named = self.otherRoute(at: leaf, bytes.slice(query.methodToken))
            if named >= 0 { return named }
        }
        let route = self.methods[Int(leaf) &* Self.columns &+ query.column]
        return route >= 0 ? route : Self.otherMethods
    }

    /// The route that names a method that is not a registered one; -1 if none does.
    func otherRoute(at leaf: Int32, _ token: RawSpan) -> Int32 {
        var low = 0
        var high = self.others.count
        while low < high {
            let middle = (low &+ high) / 2
            if self.others[middle].leaf < leaf { low = middle &+ 1 } else { high = middle }
        }
        while low < self.others.count, self.others[low].leaf == leaf {
            let name = self.others[low].name
            if token.equals(name.span.bytes) { return self.others[low].route }
            low &+= 1
        }
        return -1
    }
}
