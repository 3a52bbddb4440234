// Which routes can never win. Literals are finitely many, so a pattern that ends in a literal or a `{name}` always has
// requests of its own; only a `{name...}` can have everything taken away by more specific patterns.

extension RouteTable {
    /// A method as the table tells them apart.
    enum MethodKey: Equatable, Sendable {
        /// A registered method, or `ANY`: a method that no route names.
        case column(Int)
        case token([UInt8])

        init(_ name: String) {
            if let method = Method(name: name) {
                self = .column(Int(method.rawValue))
            } else {
                self = .token([UInt8](name.utf8))
            }
        }

        static let any = MethodKey.column(RouteTable.anyColumn)
    }

    /// The routes that together win every request that `route` matches with `method`; nil where some request reaches
    /// it. `emptySegments`: whether `//` is let through (`TargetOptions.allowEmptySegments`).
    func coverage(of route: Int, method: MethodKey, emptySegments: Bool) -> Set<Int>? {
        guard route >= 0, route < self.ends.count else { return nil }
        let node = Int(self.ends[route])
        guard self.nodes[node].rest == self.leaves[route] else { return nil }
        var winners: Set<Int> = []
        guard self.covers(node, method, emptySegments, isTop: true, &winners) else { return nil }
        return winners
    }

    /// Whether every continuation from the node, of one segment or more, has a route for the method: at the top without
    /// its own `{name...}`.
    private func covers(
        _ index: Int, _ method: MethodKey, _ emptySegments: Bool, isTop: Bool, _ winners: inout Set<Int>
    ) -> Bool {
        let node = self.nodes[index]
        if !isTop, self.declares(node.rest, method, &winners) { return true }
        let nothing = [UInt8]()
        let empty = self.child(of: index, SegmentScan(literal: nothing), nothing.span.bytes, .none, false)
        guard empty >= 0, self.declares(self.nodes[empty].leaf, method, &winners), node.parameter >= 0,
            self.declares(self.nodes[Int(node.parameter)].leaf, method, &winners),
            self.covers(Int(node.parameter), method, emptySegments, isTop: false, &winners)
        else { return false }
        return !emptySegments || self.covers(empty, method, emptySegments, isTop: false, &winners)
    }

    private func declares(_ leaf: Int32, _ method: MethodKey, _ winners: inout Set<Int>) -> Bool {
        guard leaf >= 0 else { return false }
        var route: Int32
        switch method {
        case .column(let column):
            route = self.methods[Int(leaf) * Self.columns + column]
        case .token(let name):
            route = self.otherRoute(at: leaf, name.span.bytes)
            if route < 0 { route = self.methods[Int(leaf) * Self.columns + Self.anyColumn] }
        }
        guard route >= 0 else { return false }
        winners.insert(Int(route))
        return true
    }
}

extension RoutePattern.Methods {
    /// The methods one by one.
    var keys: [(name: String, key: RouteTable.MethodKey)] {
        switch self {
        case .any: [("ANY", .any)]
        case .named(let names): names.map { ($0, RouteTable.MethodKey($0)) }
        }
    }
}
