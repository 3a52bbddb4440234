/// A fast keyed hash of bytes for finding things in a table: multiply and fold, sixteen bytes at a time, in four chains that
/// a processor works on side by side.
///
/// Not for authentication. Without the seed nobody can aim at a place in the table; with a collision a table must cope
/// anyway, because it confirms each find by comparing.
struct KeyedHash: Sendable {
    private let first: UInt64
    private let second: UInt64

    init(seed: (UInt64, UInt64)) {
        self.first = seed.0 ^ 0x9E37_79B9_7F4A_7C15
        self.second = seed.1 ^ 0xD1B5_4A32_D192_ED03
    }

    /// The hash of all the bytes and of their number; never zero.
    func tag(of bytes: RawSpan) -> UInt64 {
        let count = bytes.byteCount
        var a = self.first
        var b = self.second
        var c = ~self.first
        var d = ~self.second
        var i = 0
        while i &+ 64 <= count {
            let words = bytes.eightWords(i)
            a = Self.fold(words.a.littleEndian ^ self.first, words.b.littleEndian ^ a)
            b = Self.fold(words.c.littleEndian ^ self.second, words.d.littleEndian ^ b)
            c = Self.fold(words.e.littleEndian ^ self.first, words.f.littleEndian ^ c)
            d = Self.fold(words.g.littleEndian ^ self.second, words.h.littleEndian ^ d)
            i &+= 64
        }
        a = Self.fold(a, c)
        b = Self.fold(b, d)
        while i &+ 8 <= count {
            a = Self.fold(bytes.word(i) ^ self.second, a)
            i &+= 8
        }
        var rest: UInt64 = 0
        while i < count {
            rest = rest << 8 | UInt64(bytes.byte(i))
            i &+= 1
        }
        b = Self.fold(rest ^ self.first, b)
        let tag = Self.fold(a ^ UInt64(truncatingIfNeeded: count), b ^ self.second)
        return tag == 0 ? 1 : tag
    }

    @inline(__always)
    private static func fold(_ x: UInt64, _ y: UInt64) -> UInt64 {
        let product = x.multipliedFullWidth(by: y)
        return product.high ^ product.low ^ y
    }
}
