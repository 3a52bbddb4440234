/// The addresses that the name of a service stands for, as one event loop knows them: which one the next connection tries
/// first, and which others if that does not answer. A machine without I/O; times are nanoseconds of one monotonic clock.
///
/// Connections are spread: each begins with another address. One that did not answer is tried last for a while.
public struct AddressBook<Address: Hashable & Sendable>: Sendable {
    /// An address that did not answer.
    private struct Trouble: Sendable {
        /// How often in a row.
        var times: Int
        /// Until when others are tried before it.
        var until: Int64
    }

    /// How long an address is tried last after it did not answer once; twice as long with every further time.
    public static var shortestPause: Int64 { 5 * .second }
    /// The longest that it is.
    public static var longestPause: Int64 { 60 * .second }

    private var addresses: [Address] = []
    private var troubles: [Address: Trouble] = [:]
    private var turn: UInt

    /// - Parameter turn: which address comes first: any number, so that not all processes begin with the same.
    public init(turn: UInt = 0) {
        self.turn = turn
    }

    /// Whether no address was ever found.
    public var isEmpty: Bool { self.addresses.isEmpty }

    /// Whether the name stands for this address.
    public func contains(_ address: Address) -> Bool { self.addresses.contains(address) }

    /// The name was looked up and stands for these addresses now, at least one, in the order of preference.
    /// - Returns: whether one that was among them before is not any more.
    public mutating func resolved(_ addresses: [Address]) -> Bool {
        let before = self.addresses
        self.addresses = []
        for address in addresses where !self.addresses.contains(address) { self.addresses.append(address) }
        self.troubles = self.troubles.filter { self.addresses.contains($0.key) }
        return before.contains { !self.addresses.contains($0) }
    }

    /// The addresses in the order in which one more connection tries them.
    public mutating func order(now: Int64) -> [Address] {
        var well: [Address] = []
        var others: [(address: Address, until: Int64)] = []
        for address in self.addresses {
            if let trouble = self.troubles[address], trouble.until > now {
                others.append((address, trouble.until))
            } else {
                well.append(address)
            }
        }
        if well.count > 1 {
            let first = Int(self.turn % UInt(well.count))
            well = Array(well[first...] + well[..<first])
        }
        self.turn &+= 1
        // The one that failed first has had the most time to come back.
        return well + others.sorted { $0.until < $1.until }.map(\.address)
    }

    /// A connection was tried at these addresses, in this order.
    ///
    /// - Parameter connected: the one that answered; those before it did not, or were much slower. Nil: none did.
    public mutating func tried(_ order: [Address], connected: Address?, now: Int64) {
        for address in order {
            if address == connected {
                self.troubles[address] = nil
                return
            }
            guard self.addresses.contains(address) else { continue }
            let times = (self.troubles[address]?.times ?? 0) + 1
            self.troubles[address] = Trouble(times: times, until: now.later(by: Self.pause(times)))
        }
    }

    private static func pause(_ times: Int) -> Int64 {
        min(self.shortestPause << Int64(min(times - 1, 8)), self.longestPause)
    }
}
