/// Whether a byte is in a set of ASCII characters, given as the bits of its lower and its upper 64. The sets below are
/// constants in the code: a test is one shift and one mask.
@inline(__always)
private func isIn(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
    let word = byte < 64 ? low : high
    return byte < 128 && (word >> UInt64(byte & 63)) & 1 == 1
}

/// `tchar` of RFC 9110 section 5.6.2: letters, digits and ``!#$%&'*+-.^_`|~``.
@inline(__always)
func isTokenCharacter(_ byte: UInt8) -> Bool {
    isIn(byte, 0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
}

/// What a host name, and a client's `X-Request-Id` that is kept, may be made of: letters, digits and `-._`.
@inline(__always)
func isHostCharacter(_ byte: UInt8) -> Bool {
    isIn(byte, 0x03FF_6000_0000_0000, 0x07FF_FFFE_87FF_FFFE)
}

/// The index of the first byte in `bytes[from..<end]` that is a control character (below 0x20, or 0x7F), or `end`.
/// Thirty-two or eight bytes a step; bytes over 0x7F pass (obs-text).
@inline(__always)
func firstControl(_ bytes: RawSpan, from start: Int, to end: Int) -> Int {
    var i = start
    while i &+ 32 <= end {
        let hits = controls(bytes.words(i))
        // The first of them is read off here: looking at the same bytes again by words costs more than this whole step.
        if !hits.isZero { return i &+ hits.firstSetByte }
        i &+= 32
    }
    while i &+ 8 <= end {
        let word = bytes.word(i)
        let below = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
        let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
        let equal = (delete &- 0x0101_0101_0101_0101) & ~delete & 0x8080_8080_8080_8080
        let hit = below | equal
        if hit != 0 { return i &+ hit.trailingZeroBitCount / 8 }
        i &+= 8
    }
    while i < end {
        let byte = bytes.byte(i)
        if byte < 0x20 || byte == 0x7F { return i }
        i &+= 1
    }
    return end
}

/// The high bit of each of thirty-two bytes that is a control character. With the high bits masked off no addition carries
/// into the next byte; then a byte from 0x20 on has its high bit set after 0x60 is added, and 0x7F alone after 1 is.
@inline(__always)
private func controls(_ words: SIMD4<UInt64>) -> SIMD4<UInt64> {
    let high = SIMD4<UInt64>(repeating: 0x8080_8080_8080_8080)
    let low = words & ~high
    let notBelow = low &+ SIMD4<UInt64>(repeating: 0x6060_6060_6060_6060)
    let delete = low &+ SIMD4<UInt64>(repeating: 0x0101_0101_0101_0101)
    return (~notBelow | delete) & ~words & high
}

/// The index of the first space or tab from `start` on. There must be one, with seven more bytes behind it.
@inline(__always)
func firstBlank(_ bytes: RawSpan, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var i = start
    while true {
        let word = bytes.word(i)
        let space = word ^ ones &* 0x20
        let tab = word ^ ones &* 0x09
        // A zero byte borrows, which may mark bytes after it, but none before.
        let hits = ((space &- ones) & ~space | (tab &- ones) & ~tab) & (ones &* 0x80)
        if hits != 0 { return i &+ hits.trailingZeroBitCount / 8 }
        i &+= 8
    }
}

/// The index of the first byte from `start` on that a field name cannot have, or `end`. Eight bytes a step for what names
/// are usually made of: letters, digits and `-`.
@inline(__always)
func endOfToken(_ bytes: RawSpan, from start: Int, to end: Int) -> Int {
    var i = start
    while i < end {
        if i &+ 8 <= bytes.byteCount {
            let others = uncommonInNames(bytes.word(i))
            i &+= others == 0 ? 8 : others.trailingZeroBitCount / 8
            if i >= end { return end }
            if others == 0 { continue }
        }
        guard isTokenCharacter(bytes.byte(i)) else { return i }
        i &+= 1
    }
    return end
}

/// The high bit of each byte that is not a letter, a digit or `-`.
@inline(__always)
private func uncommonInNames(_ word: UInt64) -> UInt64 {
    let high: UInt64 = 0x8080_8080_8080_8080
    let ones: UInt64 = 0x0101_0101_0101_0101
    let low = word & ~high
    let folded = low | ones &* 0x20
    let letters = (folded &+ ones &* (0x80 - 0x61)) & ~(folded &+ ones &* (0x80 - 0x7B))
    let digits = (low &+ ones &* (0x80 - 0x30)) & ~(low &+ ones &* (0x80 - 0x3A))
    let hyphen = ~((low ^ ones &* 0x2D) &+ ones &* 0x7F)
    return ~((letters | digits | hyphen) & ~word) & high
}
