/// Which master of a cluster has which slots, as one of its nodes says.
struct ClusterMap: Equatable {
    /// The masters that have slots.
    private(set) var masters: [RedisAddress] = []
    /// All nodes that were named, replicas too: whom to ask when no master answers.
    private(set) var nodes: [RedisAddress] = []
    /// By slot the index of its master; `nobody` where it has none.
    private var owners = [UInt16](repeating: Self.nobody, count: HashSlot.count)

    private static let nobody = UInt16.max
    /// Redis' own specification recommends no more nodes.
    private static let mastersLimit = 1_000

    /// Reads the answer to `CLUSTER SLOTS`; nil if it is none, or names no master.
    ///
    /// - Parameter host: The host of the node that was asked, for a node that does not know its own address.
    init?(slots reply: RedisReply, host: String) {
        guard let ranges = reply.array else { return nil }
        var indices: [RedisAddress: UInt16] = [:]
        var known: Set<RedisAddress> = []
        var left = HashSlot.count
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, case .integer(let first) = parts[0],
                case .integer(let last) = parts[1], first >= 0, last < Int64(HashSlot.count), first <= last
            else { return nil }
            // No slot is named twice, and no cluster is larger than Redis is made for.
            left -= Int(last - first) + 1
            guard left >= 0, self.masters.count < Self.mastersLimit else { return nil }
            let nodes = parts[2...].map { Self.address(of: $0, host: host) }
            for case .some(let node) in nodes where known.insert(node).inserted { self.nodes.append(node) }
            // A master whose address nobody knows has its slots all the same: they cannot be reached.
            guard let master = nodes.first ?? nil else { continue }
            let index = indices[master] ?? UInt16(self.masters.count)
            if indices.updateValue(index, forKey: master) == nil { self.masters.append(master) }
            for slot in Int(first)...Int(last) { self.owners[slot] = index }
        }
        if self.masters.isEmpty { return nil }
    }

    /// The master of a slot, from 0 up to 16,383.
    func master(of slot: Int) -> RedisAddress? {
        let owner = self.owners[slot]
        return owner == Self.nobody ? nil : self.masters[Int(owner)]
    }

    /// A node: address, port, and what later versions add. A null or empty address is that of the node that was asked,
    /// `?` says that it is not known.
    private static func address(of node: RedisReply, host: String) -> RedisAddress? {
        guard let parts = node.array, parts.count >= 2, case .integer(let port) = parts[1], (1...65535).contains(port)
        else { return nil }
        switch parts[0] {
        case .null: return RedisAddress(host: host, port: Int(port))
        default:
            guard let text = parts[0].text, text != "?" else { return nil }
            return RedisAddress(host: text.isEmpty ? host : text, port: Int(port))
        }
    }
}

/// A node's answer that another has the key.
struct Redirection: Equatable {
    enum Kind: Equatable {
        /// The slot has moved for good: the map is old.
        case moved
        /// The slot is moving: this once, and after `ASKING`.
        case ask
    }

    var kind: Kind
    var address: RedisAddress

    /// Reads `MOVED slot host:port` or `ASK slot host:port`; nil for any other error.
    ///
    /// - Parameter host: The host of the node that said it, for an address without one.
    init?(error text: String, host: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, let slot = Int(words[1]), (0..<HashSlot.count).contains(slot),
            let colon = words[2].lastIndex(of: ":"), let port = Int(words[2][words[2].index(after: colon)...]),
            (1...65535).contains(port)
        else { return nil }
        switch words[0] {
        case "MOVED": self.kind = .moved
        case "ASK": self.kind = .ask
        default: return nil
        }
        let named = String(words[2][..<colon])
        guard named != "?" else { return nil }
        self.address = RedisAddress(host: named.isEmpty ? host : named, port: port)
    }
}
