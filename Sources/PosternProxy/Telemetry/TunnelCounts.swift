import PosternCore

/// How many tunnels are open, and how many have ended by what, on one event loop.
struct TunnelCounts: Sendable {
    private var open = [Int](repeating: 0, count: ProtocolSwitch.Kind.allCases.count)
    private var ends = [UInt64](repeating: 0, count: ProtocolSwitch.Kind.allCases.count * Tunnel.End.allCases.count)

    mutating func opened(_ kind: ProtocolSwitch.Kind) { self.open[kind.index] += 1 }

    mutating func ended(_ kind: ProtocolSwitch.Kind, _ end: Tunnel.End) {
        self.open[kind.index] -= 1
        self.ends[Self.index(kind, end)] &+= 1
    }

    func openCount(_ kind: ProtocolSwitch.Kind) -> Int { self.open[kind.index] }

    func endCount(_ kind: ProtocolSwitch.Kind, _ end: Tunnel.End) -> UInt64 { self.ends[Self.index(kind, end)] }

    private static func index(_ kind: ProtocolSwitch.Kind, _ end: Tunnel.End) -> Int {
        let place = Tunnel.End.allCases.firstIndex(of: end) ?? 0
        return kind.index * Tunnel.End.allCases.count + place
    }
}

extension ProtocolSwitch.Kind {
    fileprivate var index: Int { self == .webSocket ? 0 : 1 }
}
