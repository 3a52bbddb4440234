/// Verified tokens of one event loop: token → value, bounded, as a plain value without locks.
///
/// What a value's lifetime is, the value knows, and the caller checks it on each hit. The table underneath is
/// `TokenTable`: set-associative, so that no choice of tokens makes a lookup longer, and confirmed by comparing the
/// whole token. It starts with no storage and grows as tokens come, up to `capacity` tokens and `byteLimit` bytes.
public struct TokenCache<Value: Sendable>: Sendable {
    @usableFromInline var table: TokenTable
    /// By the table's entry numbers.
    @usableFromInline var values: [Value?] = []

    /// - Parameters:
    ///   - capacity: Tokens at most, rounded up to a power of two and at least eight.
    ///   - byteLimit: Bytes of tokens at most.
    ///   - seed: 128 bits that nobody outside can know.
    public init(capacity: Int = 8192, byteLimit: Int = 16 << 20, seed: (UInt64, UInt64)) {
        self.table = TokenTable(capacity: capacity, byteLimit: byteLimit, seed: seed)
    }

    /// Tokens at most.
    public var capacity: Int { self.table.capacity }
    /// Tokens held.
    public var count: Int { self.table.count }
    /// Bytes of the tokens held.
    public var byteCount: Int { self.table.byteCount }

    /// The value of exactly this token. Does not allocate.
    @inlinable
    public mutating func lookup(_ bytes: RawSpan) -> Value? {
        let entry = self.table.find(bytes)
        return entry < 0 ? nil : self.values[entry]
    }

    /// Puts another value in the place of that of exactly this token, if there is one. Does not allocate.
    public mutating func update(_ bytes: RawSpan, value: Value) {
        let entry = self.table.find(bytes)
        if entry >= 0 { self.values[entry] = value }
    }

    /// Keeps a value for a token; an earlier value of the same token is replaced. A token longer than the byte limit is
    /// not kept.
    ///
    /// - Parameter weight: bytes that the value takes, if they are to count.
    public mutating func insert(token: [UInt8], value: Value, weight: Int = 0) {
        let known = self.table.find(token.span.bytes)
        if known >= 0, weight == 0, self.table.weight(of: known) == 0 {
            self.values[known] = value
            return
        }
        if known >= 0 { self.remove(token.span.bytes) }
        var freed: [Int] = []
        guard let entry = self.table.insert(token, weight: weight, freed: &freed) else { return }
        for index in freed { self.values[index] = nil }
        if entry == self.values.count { self.values.append(value) } else { self.values[entry] = value }
    }

    /// Forgets exactly this token.
    public mutating func remove(_ bytes: RawSpan) {
        let entry = self.table.remove(bytes)
        if entry >= 0 { self.values[entry] = nil }
    }

    /// Forgets everything and frees the memory.
    public mutating func removeAll() {
        self.table.removeAll()
        self.values = []
    }

    /// Forgets the entries whose value meets the condition. Linear in the size of the table.
    public mutating func removeAll(where condition: (Value) -> Bool) {
        self.table.removeAll { entry in
            guard let value = self.values[entry], condition(value) else { return false }
            self.values[entry] = nil
            return true
        }
    }
}
