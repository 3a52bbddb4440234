/// Counters under small packed keys, for one event loop: open addressing in two flat arrays, so that counting is a
/// multiplication, a comparison and an addition.
struct CounterTable: Sendable {
    private var keys: [UInt64]
    private var counts: [UInt64]
    private var used = 0

    init() {
        self.keys = Array(repeating: 0, count: 64)
        self.counts = Array(repeating: 0, count: 64)
    }

    /// Adds one to the counter of `key`, which is never zero.
    mutating func increment(_ key: UInt64) {
        let mask = self.keys.count - 1
        var index = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 40) & mask
        while true {
            if self.keys[index] == key {
                self.counts[index] &+= 1
                return
            }
            if self.keys[index] == 0 { break }
            index = (index + 1) & mask
        }
        self.keys[index] = key
        self.counts[index] = 1
        self.used += 1
        if self.used * 2 > self.keys.count { self.grow() }
    }

    /// Adds all counters of this table to `totals`.
    func add(to totals: inout [UInt64: UInt64]) {
        for index in self.keys.indices where self.keys[index] != 0 {
            totals[self.keys[index], default: 0] += self.counts[index]
        }
    }

    private mutating func grow() {
        let old = (self.keys, self.counts)
        self.keys = Array(repeating: 0, count: old.0.count * 2)
        self.counts = Array(repeating: 0, count: old.0.count * 2)
        let mask = self.keys.count - 1
        for index in old.0.indices where old.0[index] != 0 {
            var place = Int(truncatingIfNeeded: (old.0[index] &* 0x9E37_79B9_7F4A_7C15) >> 40) & mask
            while self.keys[place] != 0 { place = (place + 1) & mask }
            self.keys[place] = old.0[index]
            self.counts[place] = old.1[index]
        }
    }
}
