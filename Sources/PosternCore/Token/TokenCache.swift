/// Verified tokens of one event loop: token → value, bounded, as a plain value without locks.
///
/// Set-associative: a keyed hash chooses one set of eight slots, so a lookup looks at eight tags whatever has been
/// inserted, and no choice of tokens makes it longer. A slot whose tag agrees is confirmed by comparing the whole token:
/// the hash only finds, it never decides. When a set is full, one of its slots that was not used since the last pass
/// is given up (second chance).
///
/// The table starts with no storage, doubles when a set overflows and stops at `capacity`; the tokens' own bytes are
/// bounded by `byteLimit` beside it. What a value's lifetime is, the value knows and the caller checks on each hit.
public struct TokenCache<Value: Sendable>: Sendable {
    private struct Slot {
        var token: [UInt8]
        var value: Value?
    }

    private static var ways: Int { 8 }

    /// Slots at most: a power of two.
    public let capacity: Int
    /// Bytes of tokens at most.
    public let byteLimit: Int
    /// Tokens held.
    public private(set) var count = 0
    /// Bytes of the tokens held.
    public private(set) var byteCount = 0

    private let hash: KeyedHash
    /// The hash of each slot's token; zero: the slot is free.
    private var tags: [UInt64] = []
    private var slots: [Slot] = []
    /// For each set one bit per slot: used since the last pass.
    private var used: [UInt8] = []
    /// Where the search for bytes to give up goes on.
    private var hand = 0

    /// - Parameters:
    ///   - capacity: Tokens at most, rounded up to a power of two and at least eight.
    ///   - byteLimit: Bytes of tokens at most.
    ///   - seed: 128 bits that nobody outside can know.
    public init(capacity: Int = 8192, byteLimit: Int = 16 << 20, seed: (UInt64, UInt64)) {
        var slots = Self.ways
        while slots < min(capacity, 1 << 24) { slots *= 2 }
        self.capacity = slots
        self.byteLimit = max(byteLimit, 0)
        self.hash = KeyedHash(seed: seed)
    }

    /// The value of exactly this token. Does not allocate.
    @inlinable
    public mutating func lookup(_ bytes: RawSpan) -> Value? {
        self.find(bytes)
    }

    @usableFromInline
    mutating func find(_ bytes: RawSpan) -> Value? {
        if self.tags.isEmpty { return nil }
        let tag = self.hash.tag(of: bytes)
        let index = self.index(of: bytes, tag: tag)
        guard index >= 0 else { return nil }
        self.used[index / Self.ways] |= 1 << UInt8(truncatingIfNeeded: index % Self.ways)
        return self.slots[index].value
    }

    /// Keeps a value for a token; an earlier value of the same token is replaced. A token longer than the byte limit is
    /// not kept.
    public mutating func insert(token: [UInt8], value: Value) {
        guard token.count <= self.byteLimit else { return }
        let tag = self.hash.tag(of: token.span.bytes)
        if !self.tags.isEmpty {
            let index = self.index(of: token.span.bytes, tag: tag)
            if index >= 0 {
                self.slots[index].value = value
                return
            }
        }
        while self.byteCount + token.count > self.byteLimit { self.giveUpOne() }
        let index = self.room(for: tag)
        self.tags[index] = tag
        self.slots[index] = Slot(token: token, value: value)
        // A new entry starts as not used: what is asked for only once is the first to go.
        self.used[index / Self.ways] &= ~(1 << UInt8(truncatingIfNeeded: index % Self.ways))
        self.count += 1
        self.byteCount += token.count
    }

    /// Forgets everything and frees the memory.
    public mutating func removeAll() {
        self.tags = []
        self.slots = []
        self.used = []
        self.count = 0
        self.byteCount = 0
        self.hand = 0
    }

    /// Forgets the entries whose value meets the condition. Linear in the size of the table.
    public mutating func removeAll(where condition: (Value) -> Bool) {
        for index in self.slots.indices {
            if let value = self.slots[index].value, condition(value) { self.free(index) }
        }
    }
}

// MARK: - The table

extension TokenCache {
    /// The slot that holds the token, or -1.
    private func index(of bytes: RawSpan, tag: UInt64) -> Int {
        let first = self.firstSlot(of: tag)
        for index in first..<first &+ Self.ways where self.tags[index] == tag {
            let token = self.slots[index].token
            if token.span.bytes.equals(bytes) { return index }
        }
        return -1
    }

    private func firstSlot(of tag: UInt64) -> Int {
        // The low bits choose the set; all 64 are compared.
        Int(truncatingIfNeeded: tag) & (self.tags.count &- 1) & ~(Self.ways &- 1)
    }

    /// A free slot in the set of `tag`, made by growing or by giving one up.
    private mutating func room(for tag: UInt64) -> Int {
        while true {
            if !self.tags.isEmpty {
                let first = self.firstSlot(of: tag)
                for index in first..<first + Self.ways where self.tags[index] == 0 { return index }
                if self.tags.count >= self.capacity { return self.giveUp(in: first) }
            }
            self.grow()
        }
    }

    /// Frees a slot of a full set: the first that was not used since the last pass. If all were, all lose that mark.
    private mutating func giveUp(in first: Int) -> Int {
        let set = first / Self.ways
        if self.used[set] == 0xFF { self.used[set] = 0 }
        let index = first + (~self.used[set]).trailingZeroBitCount
        self.free(index)
        return index
    }

    /// Frees one slot anywhere, for the bytes of its token.
    private mutating func giveUpOne() {
        while true {
            self.hand = (self.hand + 1) & (self.tags.count - 1)
            guard self.tags[self.hand] != 0 else { continue }
            let bit: UInt8 = 1 << UInt8(truncatingIfNeeded: self.hand % Self.ways)
            if self.used[self.hand / Self.ways] & bit == 0 {
                self.free(self.hand)
                return
            }
            self.used[self.hand / Self.ways] &= ~bit
        }
    }

    private mutating func free(_ index: Int) {
        self.count -= 1
        self.byteCount -= self.slots[index].token.count
        self.tags[index] = 0
        self.slots[index] = Slot(token: [], value: nil)
    }

    /// Doubles the table. A token's set keeps its slots or gives some of them to the new half, so nothing overflows.
    private mutating func grow() {
        let oldTags = self.tags
        let oldSlots = self.slots
        let oldUsed = self.used
        let size = max(oldTags.count * 2, Self.ways)
        self.tags = [UInt64](repeating: 0, count: size)
        self.slots = [Slot](repeating: Slot(token: [], value: nil), count: size)
        self.used = [UInt8](repeating: 0, count: size / Self.ways)
        for old in oldTags.indices where oldTags[old] != 0 {
            var index = self.firstSlot(of: oldTags[old])
            while self.tags[index] != 0 { index += 1 }
            self.tags[index] = oldTags[old]
            self.slots[index] = oldSlots[old]
            if oldUsed[old / Self.ways] >> UInt8(truncatingIfNeeded: old % Self.ways) & 1 == 1 {
                self.used[index / Self.ways] |= 1 << UInt8(truncatingIfNeeded: index % Self.ways)
            }
        }
    }
}
