extension RouteTable {
    /// The methods that routes declare for a path, sorted, `HEAD` with `GET`: the `Allow` of a 405. Where `ANY` is
    /// declared, all registered methods but CONNECT. Allocates: not for the path of an allowed request.
    public func allowedMethods(_ bytes: RawSpan, path: ByteRange, hasEscapes: Bool) -> [String] {
        var leaves: [Int32] = []
        self.collect(
            bytes, limit: Int(path.end), hasEscapes, from: 0, at: path.isEmpty ? Int(path.end) : Int(path.start) &+ 1,
            into: &leaves)
        var names: Set<String> = []
        for leaf in leaves {
            for method in Method.allCases where method != .other && method != .connect {
                if self.methods[Int(leaf) * Self.columns + Int(method.rawValue)] >= 0 { names.insert(method.name) }
            }
            for other in self.others where other.leaf == leaf {
                names.insert(String(decoding: other.name, as: UTF8.self))
            }
        }
        return names.sorted()
    }

    /// All leaves that match the path, the most specific first.
    private func collect(
        _ bytes: RawSpan, limit: Int, _ hasEscapes: Bool, from index: Int, at position: Int, into leaves: inout [Int32]
    ) {
        let node = self.nodes[index]
        let segment =
            hasEscapes
            ? SegmentScan(escaped: bytes, from: position, limit: limit)
            : SegmentScan(plain: bytes, from: position, limit: limit)
        var children: [Int] = []
        let literal = self.child(of: index, segment, bytes, ByteRange(position, segment.end), hasEscapes)
        if literal >= 0 { children.append(literal) }
        if node.parameter >= 0, segment.end > position { children.append(Int(node.parameter)) }
        for child in children {
            if segment.end < limit {
                self.collect(bytes, limit: limit, hasEscapes, from: child, at: segment.end + 1, into: &leaves)
            } else if self.nodes[child].leaf >= 0 {
                leaves.append(self.nodes[child].leaf)
            }
        }
        if node.rest >= 0 { leaves.append(node.rest) }
    }
}
