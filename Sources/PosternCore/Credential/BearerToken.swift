/// The `b64token` of RFC 6750 section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
enum BearerToken {
    /// Whether the bytes of `range` are exactly one b64token. Many bytes a step: the token is the longest value that
    /// every request has.
    static func isValid(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        let start = Int(range.start)
        var end = Int(range.end)
        while end > start, bytes.byte(end &- 1) == UInt8(ascii: "=") { end &-= 1 }
        guard end > start else { return false }
        let token = bytes.slice(ByteRange(start, end))
        let count = token.byteCount
        var i = 0
        while i &+ 32 <= count, Self.areCommonBytes(token.words(i)) { i &+= 32 }
        while i &+ 8 <= count {
            let word = token.word(i)
            if !Self.areCommonBytes(word), !Self.areTokenBytes(word) { return false }
            i &+= 8
        }
        while i < count {
            if !Self.isTokenByte(token.byte(i)) { return false }
            i &+= 1
        }
        return true
    }

    /// A letter, one of `-` `.` `/` and the digits (which are consecutive), `+`, `_` or `~`.
    @inline(__always)
    static func isTokenByte(_ byte: UInt8) -> Bool {
        byte.asciiLowercased &- 0x61 < 26 || byte &- 0x2D < 13 || byte == 0x2B || byte == 0x5F || byte == 0x7E
    }

    /// Whether all eight bytes are what nearly every token is made of: letters, digits, `-`, `.`, `/`, `_`. In each byte
    /// the high bit says no. With the high bits of the input masked off, no addition carries into the next byte.
    @inline(__always)
    static func areCommonBytes(_ word: UInt64) -> Bool {
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = word & ~high
        let folded = low | (ones &* 0x20)
        let letters = (folded &+ ones &* (0x80 - 0x61)) ^ (folded &+ ones &* (0x80 - 0x7B))
        let digits = (low &+ ones &* (0x80 - 0x2D)) ^ (low &+ ones &* (0x80 - 0x3A))
        let notUnderscore = (low ^ (ones &* 0x5F)) &+ ones &* 0x7F
        return ((~(letters | digits) & notUnderscore) | word) & high == 0
    }

    /// The same for thirty-two bytes.
    @inline(__always)
    static func areCommonBytes(_ words: SIMD4<UInt64>) -> Bool {
        func each(_ byte: UInt64) -> SIMD4<UInt64> { SIMD4(repeating: 0x0101_0101_0101_0101 &* byte) }
        let high = each(0x80)
        let low = words & ~high
        let folded = low | each(0x20)
        let letters = (folded &+ each(0x80 - 0x61)) ^ (folded &+ each(0x80 - 0x7B))
        let digits = (low &+ each(0x80 - 0x2D)) ^ (low &+ each(0x80 - 0x3A))
        let notUnderscore = (low ^ each(0x5F)) &+ each(0x7F)
        return (((~(letters | digits) & notUnderscore) | words) & high).isZero
    }

    /// `isTokenByte` for eight bytes at once: in each byte the high bit says yes. Out of line, so that the common loop
    /// keeps its constants in registers.
    @inline(never)
    static func areTokenBytes(_ word: UInt64) -> Bool {
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = word & ~high
        let folded = low | (ones &* 0x20)
        let letters = (folded &+ ones &* (0x80 - 0x61)) & ~(folded &+ ones &* (0x80 - 0x7B))
        let digits = (low &+ ones &* (0x80 - 0x2D)) & ~(low &+ ones &* (0x80 - 0x3A))
        let plus = ~((low ^ ones &* 0x2B) &+ ones &* 0x7F)
        let underscore = ~((low ^ ones &* 0x5F) &+ ones &* 0x7F)
        let tilde = ~((low ^ ones &* 0x7E) &+ ones &* 0x7F)
        return (letters | digits | plus | underscore | tilde) & ~word & high == high
    }
}
