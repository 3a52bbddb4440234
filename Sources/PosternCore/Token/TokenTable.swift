/// The table of a `TokenCache`: which entry a token has. Not generic, so that it is compiled once, for good speed, here.
///
/// A keyed hash chooses one set of eight slots; a slot's tag holds all 64 bits of the hash, and a slot whose tag agrees
/// is confirmed by comparing the whole token: the hash only finds, it never decides. When a set is full the table
/// doubles; at its full size the set gives up a slot that was not used since its last pass (second chance).
@usableFromInline
struct TokenTable: Sendable {
    static let ways = 8

    /// Slots at most: a power of two.
    let capacity: Int
    let byteLimit: Int
    private(set) var count = 0
    private(set) var byteCount = 0

    private let hash: KeyedHash
    /// By slot: the hash of its token; zero: the slot is free.
    private var tags: [UInt64] = []
    /// By slot: the number of its entry.
    private var entries: [Int32] = []
    /// By set: one bit for each slot that was used since the last pass.
    private var used: [UInt8] = []
    /// By entry: the token.
    private var tokens: [[UInt8]] = []
    /// By entry: bytes that count besides the token's.
    private var weights: [Int] = []
    private var freeEntries: [Int32] = []
    /// The slot at which the search for bytes to give up goes on.
    private var hand = 0

    init(capacity: Int, byteLimit: Int, seed: (UInt64, UInt64)) {
        var slots = Self.ways
        while slots < min(capacity, 1 << 24) { slots *= 2 }
        self.capacity = slots
        self.byteLimit = max(byteLimit, 0)
        self.hash = KeyedHash(seed: seed)
    }

    /// The entry of a token, or -1. Marks it as used.
    @usableFromInline
    mutating func find(_ bytes: RawSpan) -> Int {
        if self.tags.isEmpty { return -1 }
        let tag = self.hash.tag(of: bytes)
        let first = self.firstSlot(of: tag)
        for slot in first..<first &+ Self.ways where self.tags[slot] == tag {
            let entry = Int(self.entries[slot])
            if Self.holds(self.tokens[entry], bytes) {
                self.mark(slot)
                return entry
            }
        }
        return -1
    }

    /// Makes an entry for a token that has none. Nil if it is over the byte limit by itself. `freed` gets the entries
    /// that were given up for it; the new entry may be one of them.
    mutating func insert(_ token: [UInt8], weight: Int = 0, freed: inout [Int]) -> Int? {
        let weight = max(0, min(weight, 1 << 30))
        guard token.count + weight <= self.byteLimit else { return nil }
        while self.byteCount + token.count + weight > self.byteLimit { freed.append(self.giveUpAnywhere()) }
        let tag = self.hash.tag(of: token.span.bytes)
        let slot = self.room(for: tag, freed: &freed)
        let entry: Int
        if let free = self.freeEntries.popLast() {
            entry = Int(free)
            self.tokens[entry] = token
            self.weights[entry] = weight
        } else {
            entry = self.tokens.count
            self.tokens.append(token)
            self.weights.append(weight)
        }
        self.tags[slot] = tag
        self.entries[slot] = Int32(truncatingIfNeeded: entry)
        self.count += 1
        self.byteCount += token.count + weight
        return entry
    }

    /// Bytes that count for an entry besides the token's.
    func weight(of entry: Int) -> Int { self.weights[entry] }

    /// Takes out exactly this token. Returns its entry, or -1 if it had none.
    mutating func remove(_ bytes: RawSpan) -> Int {
        if self.tags.isEmpty { return -1 }
        let tag = self.hash.tag(of: bytes)
        let first = self.firstSlot(of: tag)
        for slot in first..<first + Self.ways where self.tags[slot] == tag {
            if Self.holds(self.tokens[Int(self.entries[slot])], bytes) { return self.free(slot) }
        }
        return -1
    }

    mutating func removeAll() {
        self.tags = []
        self.entries = []
        self.used = []
        self.tokens = []
        self.weights = []
        self.freeEntries = []
        self.count = 0
        self.byteCount = 0
        self.hand = 0
    }

    mutating func removeAll(where condition: (Int) -> Bool) {
        for slot in self.tags.indices where self.tags[slot] != 0 {
            if condition(Int(self.entries[slot])) { _ = self.free(slot) }
        }
    }
}

// MARK: - Slots

extension TokenTable {
    @inline(__always)
    private static func holds(_ token: [UInt8], _ bytes: RawSpan) -> Bool {
        token.span.bytes.equals(bytes)
    }

    private func firstSlot(of tag: UInt64) -> Int {
        // The low bits choose the set; all 64 are compared.
        Int(truncatingIfNeeded: tag) & (self.tags.count &- 1) & ~(Self.ways &- 1)
    }

    @inline(__always)
    private mutating func mark(_ slot: Int) {
        let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: slot & (Self.ways &- 1))
        let set = slot / Self.ways
        // Read before writing: a hot token's bit is set already, and its line of memory stays clean.
        if self.used[set] & bit == 0 { self.used[set] |= bit }
    }

    /// A free slot in the set of `tag`, made by growing or by giving one up.
    private mutating func room(for tag: UInt64, freed: inout [Int]) -> Int {
        while true {
            if !self.tags.isEmpty {
                let first = self.firstSlot(of: tag)
                for slot in first..<first + Self.ways where self.tags[slot] == 0 { return slot }
                if self.tags.count >= self.capacity { return self.giveUp(in: first, freed: &freed) }
            }
            self.grow()
        }
    }

    /// Frees a slot of a full set: the first that was not used since the last pass. If all were, all lose that mark.
    private mutating func giveUp(in first: Int, freed: inout [Int]) -> Int {
        let set = first / Self.ways
        if self.used[set] == 0xFF { self.used[set] = 0 }
        let slot = first + (~self.used[set]).trailingZeroBitCount
        freed.append(self.free(slot))
        return slot
    }

    /// Frees one slot wherever it is, for the bytes of its token. There is one: else there would be no bytes to free.
    private mutating func giveUpAnywhere() -> Int {
        while true {
            self.hand = (self.hand + 1) & (self.tags.count - 1)
            guard self.tags[self.hand] != 0 else { continue }
            let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: self.hand % Self.ways)
            if self.used[self.hand / Self.ways] & bit == 0 { return self.free(self.hand) }
            self.used[self.hand / Self.ways] &= ~bit
        }
    }

    private mutating func free(_ slot: Int) -> Int {
        let entry = Int(self.entries[slot])
        self.count -= 1
        self.byteCount -= self.tokens[entry].count + self.weights[entry]
        self.tokens[entry] = []
        self.weights[entry] = 0
        self.freeEntries.append(Int32(truncatingIfNeeded: entry))
        self.tags[slot] = 0
        // A new entry here starts as not used: what is asked for only once is the first to go.
        self.used[slot / Self.ways] &= ~(1 << UInt8(truncatingIfNeeded: slot % Self.ways))
        return entry
    }

    /// Doubles the table. The slots of a set go to it and to one new set, so nothing overflows.
    private mutating func grow() {
        let (oldTags, oldEntries, oldUsed) = (self.tags, self.entries, self.used)
        let size = max(oldTags.count * 2, Self.ways)
        self.tags = [UInt64](repeating: 0, count: size)
        self.entries = [Int32](repeating: 0, count: size)
        self.used = [UInt8](repeating: 0, count: size / Self.ways)
        for old in oldTags.indices where oldTags[old] != 0 {
            var slot = self.firstSlot(of: oldTags[old])
            while self.tags[slot] != 0 { slot += 1 }
            self.tags[slot] = oldTags[old]
            self.entries[slot] = oldEntries[old]
            if oldUsed[old / Self.ways] >> UInt8(truncatingIfNeeded: old % Self.ways) & 1 == 1 { self.mark(slot) }
        }
    }
}
