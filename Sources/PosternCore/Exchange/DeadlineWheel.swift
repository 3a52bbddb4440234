/// The deadlines of all connections of one event loop, in a hashed wheel: a request that only moves its connection's
/// deadline further away costs one comparison and one store, nothing else.
///
/// Times are nanoseconds of a monotonic clock that the caller reads. A deadline is noticed at most one tick late.
public struct DeadlineWheel: Sendable {
    /// A connection's place in the wheel.
    public typealias Entry = Int32

    private struct Item: Sendable {
        /// When the owner wants to be told; `Int64.max`: not at all.
        var deadline: Int64 = .max
        /// The tick at which the wheel looks at this item, never after its deadline's tick; `unarmed` if it does not.
        var armed: Int64 = DeadlineWheel.unarmed
        var previous: Int32 = -1
        var next: Int32 = -1
        var used = true
    }

    private static let slotCount = 1024
    private static let unarmed = Int64.max
    private let tick: Int64
    private var items: [Item] = []
    private var free: [Int32] = []
    private var heads: [Int32]
    private var occupied: [UInt64]
    /// The next tick whose slot has not been looked at.
    private var position: Int64

    /// - Parameters:
    ///   - tick: the wheel's resolution in nanoseconds.
    ///   - now: the present.
    public init(tick: Int64 = 16_000_000, now: Int64) {
        self.tick = tick
        self.heads = Array(repeating: -1, count: Self.slotCount)
        self.occupied = Array(repeating: 0, count: Self.slotCount / 64)
        self.position = now / tick
    }

    /// Makes a place for a connection; it has no deadline yet.
    public mutating func add() -> Entry {
        if let entry = self.free.popLast() {
            self.items[Int(entry)] = Item()
            return entry
        }
        self.items.append(Item())
        return Entry(self.items.count - 1)
    }

    /// Gives a place back.
    public mutating func remove(_ entry: Entry) {
        guard self.items[Int(entry)].used else { return }
        self.unlink(entry)
        self.items[Int(entry)].used = false
        self.free.append(entry)
    }

    /// Sets when the owner of `entry` is to be told; `Int64.max` for never.
    ///
    /// - Returns: whether the wheel has to be looked at earlier than it was before this call.
    public mutating func set(_ entry: Entry, _ deadline: Int64) -> Bool {
        let index = Int(entry)
        self.items[index].deadline = deadline
        guard deadline != .max else { return false }
        let due = self.dueTick(deadline)
        guard due < self.items[index].armed else { return false }
        let before = self.nextTick
        self.unlink(entry)
        self.link(entry, at: due)
        return due < before
    }

    /// When the wheel has to be looked at next, or nil while nothing is in it.
    public var nextWake: Int64? {
        let next = self.nextTick
        return next == .max ? nil : next &* self.tick
    }

    /// Moves the wheel to `now` and appends to `due` every entry whose deadline is over. Such an entry has no deadline
    /// afterwards.
    public mutating func expire(now: Int64, into due: inout [Entry]) {
        let last = now / self.tick
        guard last >= self.position else { return }
        let steps = min(last &- self.position &+ 1, Int64(Self.slotCount))
        let first = last &- steps &+ 1
        self.position = last &+ 1
        for tick in first...last {
            var entry = self.heads[Int(tick % Int64(Self.slotCount))]
            while entry >= 0 {
                let item = self.items[Int(entry)]
                if item.armed <= last { self.settle(entry, item, now: now, into: &due) }
                entry = item.next
            }
        }
    }

    private mutating func settle(_ entry: Entry, _ item: Item, now: Int64, into due: inout [Entry]) {
        self.unlink(entry)
        if item.deadline == .max { return }
        if item.deadline <= now {
            self.items[Int(entry)].deadline = .max
            due.append(entry)
        } else {
            self.link(entry, at: self.dueTick(item.deadline))
        }
    }

    // MARK: - Slots

    /// The tick at which to look at a deadline: the one after its own, so that it is never early; within the wheel's
    /// present turn, so that a slot stands for one tick and `nextTick` is exact. A deadline further away is looked at
    /// once a turn.
    private func dueTick(_ deadline: Int64) -> Int64 {
        let distance = max(deadline / self.tick, self.position &- 1) &- self.position &+ 1
        return self.position &+ min(distance, Int64(Self.slotCount) &- 1)
    }

    /// The next tick at which something may be due.
    private var nextTick: Int64 {
        let start = Int(self.position % Int64(Self.slotCount))
        var word = start / 64
        var bits = self.occupied[word] & (~0 << UInt64(start % 64))
        // One step more than there are words: the first one is looked at from its start, too, at the end.
        for _ in 0...(Self.slotCount / 64) {
            if bits != 0 {
                let slot = word * 64 + bits.trailingZeroBitCount
                let distance = (slot - start + Self.slotCount) % Self.slotCount
                return self.position &+ Int64(distance)
            }
            word = (word + 1) % (Self.slotCount / 64)
            bits = self.occupied[word]
        }
        return .max
    }

    private mutating func link(_ entry: Entry, at tick: Int64) {
        let slot = Int(tick % Int64(Self.slotCount))
        let head = self.heads[slot]
        self.items[Int(entry)].armed = tick
        self.items[Int(entry)].previous = -1
        self.items[Int(entry)].next = head
        if head >= 0 { self.items[Int(head)].previous = entry }
        self.heads[slot] = entry
        self.occupied[slot / 64] |= 1 << UInt64(slot % 64)
    }

    private mutating func unlink(_ entry: Entry) {
        let item = self.items[Int(entry)]
        guard item.armed != Self.unarmed else { return }
        let slot = Int(item.armed % Int64(Self.slotCount))
        if item.previous >= 0 {
            self.items[Int(item.previous)].next = item.next
        } else {
            self.heads[slot] = item.next
            if item.next < 0 { self.occupied[slot / 64] &= ~(1 << UInt64(slot % 64)) }
        }
        if item.next >= 0 { self.items[Int(item.next)].previous = item.previous }
        self.items[Int(entry)].armed = Self.unarmed
        self.items[Int(entry)].previous = -1
        self.items[Int(entry)].next = -1
    }
}
