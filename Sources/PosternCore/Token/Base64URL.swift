/// base64url without padding (RFC 4648 section 5, RFC 7515 section 2), in its canonical form only.
public enum Base64URL {
    /// The octets that `bytes` encode, or nil for anything that is not the one canonical encoding: padding, white
    /// space, the `+` and `/` of plain base64, an impossible length, or unused bits that are not zero. A token thus
    /// has exactly one spelling, and the spelling that was verified is the only one that a cache can hold.
    public static func decode(_ bytes: RawSpan) -> [UInt8]? {
        let count = bytes.byteCount
        let rest = count & 3
        guard rest != 1 else { return nil }
        let length = count / 4 * 3 + (rest == 0 ? 0 : rest - 1)
        // Two octets more, because six are written as eight.
        var output = [UInt8](repeating: 0, count: length + 2)
        guard Self.decode(bytes, into: &output) else { return nil }
        output.removeLast(2)
        return output
    }

    /// Writes the octets to `output`, which has room for two more. Returns whether the encoding is canonical.
    private static func decode(_ bytes: RawSpan, into output: inout [UInt8]) -> Bool {
        let rest = bytes.byteCount & 3
        let whole = bytes.byteCount &- rest
        var invalid: UInt32 = 0
        var i = 0
        var o = 0
        var span = output.mutableSpan
        var octets = span.mutableBytes
        while i &+ 8 <= whole, let group = Self.six(bytes.word(i)) {
            octets.storeBytes(of: (group &<< 16).bigEndian, toByteOffset: o, as: UInt64.self)
            i &+= 8
            o &+= 6
        }
        while i < whole {
            let a = Self.value(bytes.byte(i))
            let b = Self.value(bytes.byte(i &+ 1))
            let c = Self.value(bytes.byte(i &+ 2))
            let d = Self.value(bytes.byte(i &+ 3))
            invalid |= a | b | c | d
            Self.put(a << 2 | b >> 4, &octets, &o)
            Self.put(b << 4 | c >> 2, &octets, &o)
            Self.put(c << 6 | d, &octets, &o)
            i &+= 4
        }
        if rest > 0 {
            let a = Self.value(bytes.byte(i))
            let b = Self.value(bytes.byte(i &+ 1))
            invalid |= a | b
            Self.put(a << 2 | b >> 4, &octets, &o)
            if rest == 2 {
                if b & 15 != 0 { invalid = Self.invalid }
            } else {
                let c = Self.value(bytes.byte(i &+ 2))
                invalid |= c
                Self.put(b << 4 | c >> 2, &octets, &o)
                if c & 3 != 0 { invalid = Self.invalid }
            }
        }
        return invalid < 64
    }

    @inline(__always)
    private static func put(_ octet: UInt32, _ octets: inout MutableRawSpan, _ offset: inout Int) {
        octets.storeBytes(of: UInt8(truncatingIfNeeded: octet), toByteOffset: offset, as: UInt8.self)
        offset &+= 1
    }

    /// The canonical encoding of `bytes`.
    public static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: Self.encoded(bytes.span.bytes), as: UTF8.self)
    }

    /// The canonical encoding of `bytes`, as characters.
    public static func encoded(_ bytes: RawSpan) -> [UInt8] {
        let count = bytes.byteCount
        let length = (count * 4 + 2) / 3
        var text = [UInt8](repeating: 0, count: length)
        var span = text.mutableSpan
        var output = span.mutableBytes
        var i = 0
        var o = 0
        while i &+ 8 <= count {
            output.storeBytes(
                of: Self.characters(of: bytes.word(i).byteSwapped &>> 16), toByteOffset: o, as: UInt64.self)
            i &+= 6
            o &+= 8
        }
        while i &+ 3 <= count {
            let group = UInt32(bytes.byte(i)) &<< 16 | UInt32(bytes.byte(i &+ 1)) &<< 8 | UInt32(bytes.byte(i &+ 2))
            // Four groups of six bits, each in a byte of its own, the first one lowest.
            let sextets =
                group &>> 18 | (group &>> 4) & 0x3F00 | (group &<< 10) & 0x3F_0000 | (group &<< 24) & 0x3F00_0000
            output.storeBytes(of: Self.characters(sextets).littleEndian, toByteOffset: o, as: UInt32.self)
            i &+= 3
            o &+= 4
        }
        var rest: UInt32 = 0
        if i < count { rest = UInt32(bytes.byte(i)) &<< 16 }
        if i &+ 1 < count { rest |= UInt32(bytes.byte(i &+ 1)) &<< 8 }
        var shift: UInt32 = 18
        while o < length {
            Self.put(Self.characters(rest &>> shift & 63) & 0xFF, &output, &o)
            shift &-= 6
        }
        return text
    }

    /// Above every six-bit value, so that one test after the loop finds any wrong character.
    private static let invalid: UInt32 = 0x8000_0000

    /// The six octets that eight characters encode, the first one on top; nil if one of them is not of the alphabet.
    ///
    /// In each byte the high bit of a class says whether the character is of it; no addition carries into the next byte,
    /// because the high bits of the input are masked off.
    @inline(__always)
    private static func six(_ word: UInt64) -> UInt64? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high = ones &* 0x80
        let low = word & ~high
        let uppers = (low &+ ones &* (0x80 - 0x41)) & ~(low &+ ones &* (0x80 - 0x5B)) & high
        let lowers = (low &+ ones &* (0x80 - 0x61)) & ~(low &+ ones &* (0x80 - 0x7B)) & high
        let digits = (low &+ ones &* (0x80 - 0x30)) & ~(low &+ ones &* (0x80 - 0x3A)) & high
        let hyphens = ~((low ^ ones &* 0x2D) &+ ones &* 0x7F) & high
        let lines = ~((low ^ ones &* 0x5F) &+ ones &* 0x7F) & high
        guard (uppers | lowers | digits | hyphens | lines) & ~word == high else { return nil }
        // What is added to each class, modulo 128: the high bit of the sum is cut off.
        var x = low &+ (uppers &>> 7) &* (0x80 - 0x41)
        x = x &+ (lowers &>> 7) &* (0x80 - 0x61 + 26)
        x = x &+ (digits &>> 7) &* (52 - 0x30)
        x = x &+ (hyphens &>> 7) &* (62 - 0x2D)
        x = x &+ (lines &>> 7) &* (0x80 - 0x5F + 63)
        x &= ~high
        // Eight times six bits become four times twelve, twice twenty-four, forty-eight; the first character is lowest.
        x = (x & 0x003F_003F_003F_003F) &<< 6 | (x &>> 8) & 0x003F_003F_003F_003F
        x = (x & 0x0000_0FFF_0000_0FFF) &<< 12 | (x &>> 16) & 0x0000_0FFF_0000_0FFF
        return (x & 0xFF_FFFF) &<< 24 | x &>> 32
    }

    @inline(__always)
    private static func value(_ character: UInt8) -> UInt32 {
        switch character {
        case 0x41...0x5A: UInt32(character) &- 0x41
        case 0x61...0x7A: UInt32(character) &- 0x61 &+ 26
        case 0x30...0x39: UInt32(character) &- 0x30 &+ 52
        case 0x2D: 62
        case 0x5F: 63
        default: Self.invalid
        }
    }

    /// The eight characters that encode 48 bits, the first one lowest in memory.
    @inline(__always)
    private static func characters(of bits: UInt64) -> UInt64 {
        // Twice twenty-four bits, four times twelve, eight times six; the first ones on top.
        var x = (bits &<< 8) & 0x00FF_FFFF_0000_0000 | bits & 0xFF_FFFF
        x = (x & 0x00FF_F000_00FF_F000) &<< 4 | x & 0x0000_0FFF_0000_0FFF
        x = (x & 0x0FC0_0FC0_0FC0_0FC0) &<< 2 | x & 0x003F_003F_003F_003F
        return Self.characters(x).bigEndian
    }

    /// The characters of values below 64, each in a byte of its own: 65 is added to all, and at each border of the
    /// alphabet's classes what the next one differs by. No sum carries into the next byte.
    @inline(__always)
    private static func characters<Values: FixedWidthInteger & UnsignedInteger>(_ values: Values) -> Values {
        // 1 in each byte.
        let ones = Values.max / 0xFF
        // 1 in each byte whose value is at least the border.
        let lowers = (values &+ ones &* (0x80 - 26)) &>> 7 & ones
        let digits = (values &+ ones &* (0x80 - 52)) &>> 7 & ones
        let hyphens = (values &+ ones &* (0x80 - 62)) &>> 7 & ones
        let lines = (values &+ ones &* (0x80 - 63)) &>> 7 & ones
        return values &+ ones &* 65 &+ lowers &* 6 &- digits &* 75 &- hyphens &* 13 &+ lines &* 49
    }
}
