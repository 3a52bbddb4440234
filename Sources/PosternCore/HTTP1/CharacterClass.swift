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
/// Eight bytes a step; bytes over 0x7F pass (obs-text).
@inline(__always)
func firstControl(_ bytes: RawSpan, from start: Int, to end: Int) -> Int {
    var i = start
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
