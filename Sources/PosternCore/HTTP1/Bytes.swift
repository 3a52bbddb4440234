/// A half-open range of byte offsets into a message. Eight bytes, so that a header table stays small.
///
/// Heads are limited to `limits.head` (at most 1 MiB), so 32 bits are always enough.
public struct ByteRange: Equatable, Sendable {
    /// Offset of the first byte.
    public var start: Int32
    /// Offset after the last byte.
    public var end: Int32

    @inlinable
    public init(_ start: Int, _ end: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
    }

    /// The empty range at offset zero: "not there".
    public static let none = ByteRange(0, 0)

    @inlinable public var count: Int { Int(self.end) - Int(self.start) }
    @inlinable public var isEmpty: Bool { self.end <= self.start }
    @inlinable public var range: Range<Int> { Int(self.start)..<Int(self.end) }
}

// Access to single bytes and words of a `RawSpan`. The standard library calls these loads unsafe because they
// reinterpret memory as a type; for integers every bit pattern is valid, and the loads check bounds, so what is
// offered here is memory-safe. Nothing else in the core loads from a span.
extension RawSpan {
    /// The byte at `offset`. Traps when out of bounds.
    @inlinable @inline(__always)
    public func byte(_ offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// Eight bytes from `offset`, little-endian. Traps when out of bounds.
    @inlinable @inline(__always)
    public func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Thirty-two bytes from `offset`, in four words that are worked on side by side, each in the machine's own order: for
    /// what is the same for every byte. Traps when out of bounds.
    @inlinable @inline(__always)
    func words(_ offset: Int) -> SIMD4<UInt64> {
        unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
    }

    /// Sixty-four bytes from `offset`, to be worked on side by side, each word in the machine's own order. Traps when out of
    /// bounds.
    @inlinable @inline(__always)
    func block(_ offset: Int) -> SIMD8<UInt64> {
        unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
    }

    /// Sixty-four bytes from `offset`, as eight words in the machine's own order: their bounds are checked once. Traps when
    /// out of bounds.
    @inline(__always)
    func eightWords(_ offset: Int) -> EightWords {
        unsafeLoadUnaligned(fromByteOffset: offset, as: EightWords.self)
    }

    /// The bytes of `range`. Traps when out of bounds.
    @inlinable @inline(__always)
    @_lifetime(copy self)
    public func slice(_ range: ByteRange) -> RawSpan {
        extracting(range.range)
    }

    /// Whether the bytes are exactly those of `other`.
    @inlinable
    public func equals(_ other: RawSpan) -> Bool {
        let count = self.byteCount
        guard count == other.byteCount else { return false }
        guard count >= 8 else { return self.shortWord == other.shortWord }
        var i = 0
        while i &+ 64 <= count {
            if !self.agrees(other, i) { return false }
            i &+= 64
        }
        if i == count { return true }
        // What is left is looked at as a block or a word, too: one that begins in what was looked at already.
        if count >= 64 { return self.agrees(other, count &- 64) }
        while i &+ 8 <= count {
            if self.word(i) != other.word(i) { return false }
            i &+= 8
        }
        return self.word(count &- 8) == other.word(count &- 8)
    }

    /// Whether the sixty-four bytes from `offset` are those of `other`.
    @inlinable @inline(__always)
    func agrees(_ other: RawSpan, _ offset: Int) -> Bool {
        let difference = self.block(offset) ^ other.block(offset)
        return (difference.lowHalf | difference.highHalf).isZero
    }

    /// Up to seven bytes, the first in the lowest one; zeros behind them. Other bytes than these are not looked at.
    @inlinable @inline(__always)
    var shortWord: UInt64 {
        let count = self.byteCount
        if count >= 4 {
            // The first four and the last four, which may overlap: where they do, both say the same.
            let first = UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self))
            let last = UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
            return UInt64(first) | UInt64(last) &<< UInt64(8 &* (count &- 4))
        }
        var word: UInt64 = 0
        for i in 0..<count { word |= UInt64(self.byte(i)) &<< (8 &* UInt64(i)) }
        return word
    }

    /// Whether the bytes are those of `lowercase` when ASCII case is ignored. `lowercase` holds no upper-case letter.
    @inlinable
    public func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        let count = self.byteCount
        guard count == lowercase.utf8CodeUnitCount else { return false }
        return lowercase.withUTF8Buffer { expected in
            var i = 0
            while i &+ 8 <= count {
                // The literal is as long as the span, so the load stays inside it; it does not leave the closure.
                let word = unsafe UnsafeRawBufferPointer(expected).loadUnaligned(fromByteOffset: i, as: UInt64.self)
                if self.word(i).asciiLowercased != UInt64(littleEndian: word) { return false }
                i &+= 8
            }
            while i < count {
                if self.byte(i).asciiLowercased != expected[i] { return false }
                i &+= 1
            }
            return true
        }
    }

    /// Whether the bytes are exactly those of `string`.
    @inlinable
    public func equals(_ string: StaticString) -> Bool {
        let count = self.byteCount
        guard count == string.utf8CodeUnitCount else { return false }
        return string.withUTF8Buffer { expected in
            for i in 0..<count where self.byte(i) != expected[i] { return false }
            return true
        }
    }

    /// The bytes as an array. Allocates: not for the path of a request.
    public func array() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(self)
        return bytes
    }

    /// The bytes as a string, invalid UTF-8 repaired. Allocates: not for the path of a request.
    public func string() -> String {
        // The pointer does not leave the closure.
        unsafe self.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes as a string; nil if they are not UTF-8. Allocates: not for the path of a request.
    public func validatedString() -> String? {
        unsafe self.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
    }
}

/// Words that stand one behind the other in memory.
struct EightWords: BitwiseCopyable {
    let a, b, c, d, e, f, g, h: UInt64
}

extension UInt8 {
    /// The byte with an ASCII upper-case letter made lower-case.
    @inlinable @inline(__always)
    public var asciiLowercased: UInt8 {
        (self &- 0x41) < 26 ? self | 0x20 : self
    }
}

extension String {
    /// Whether both are the same bytes of UTF-8: unlike `==`, which takes two Unicode normal forms for the same.
    public func hasSameBytes(as other: String) -> Bool {
        guard self.utf8.count == other.utf8.count else { return false }
        let equal = self.utf8.withContiguousStorageIfAvailable { mine in
            other.utf8.withContiguousStorageIfAvailable { theirs in
                // The pointers do not leave the closures.
                unsafe mine.span.bytes.equals(theirs.span.bytes)
            }
        }
        return (equal ?? nil) ?? self.utf8.elementsEqual(other.utf8)
    }
}

extension SIMD4<UInt64> {
    /// Whether no bit is set. Two steps of halves cost less than comparing four words on processors without wide
    /// comparisons.
    @inlinable @inline(__always)
    var isZero: Bool {
        let half = self.lowHalf | self.highHalf
        return half[0] | half[1] == 0
    }

    /// Which of the thirty-two bytes, in the order of `RawSpan.words`, is the first that has a bit set; 32: none has.
    @inlinable @inline(__always)
    var firstSetByte: Int {
        for lane in 0..<4 {
            let word = UInt64(littleEndian: self[lane])
            if word != 0 { return lane &* 8 &+ word.trailingZeroBitCount / 8 }
        }
        return 32
    }
}

extension UInt64 {
    /// Up to eight ASCII characters, the first in the lowest byte, as `RawSpan.word` reads them; zeros behind them. A
    /// constant in what is compiled.
    @inlinable @inline(__always)
    init(ascii text: StaticString) {
        self = text.withUTF8Buffer { characters in
            var word: UInt64 = 0
            for i in 0..<characters.count { word |= UInt64(characters[i]) &<< (8 &* UInt64(i)) }
            return word
        }
    }

    /// Eight bytes with their ASCII upper-case letters made lower-case. With the high bits masked off no addition carries
    /// into the next byte.
    @inlinable @inline(__always)
    public var asciiLowercased: UInt64 {
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = self & ~high
        let letters = (low &+ ones &* (0x80 - 0x41)) & ~(low &+ ones &* (0x80 - 0x5B)) & ~self & high
        return self | letters &>> 2
    }
}

extension [UInt8] {
    /// Puts the sixteen lower-case hexadecimal digits of a number in place of the bytes from `offset`. Traps when out of
    /// bounds.
    mutating func set(hex value: UInt64, at offset: Int) {
        var span = self.mutableSpan
        var bytes = span.mutableBytes
        let high = Self.hexDigits(UInt32(truncatingIfNeeded: value &>> 32)).littleEndian
        let low = Self.hexDigits(UInt32(truncatingIfNeeded: value)).littleEndian
        bytes.storeBytes(of: high, toByteOffset: offset, as: UInt64.self)
        bytes.storeBytes(of: low, toByteOffset: offset &+ 8, as: UInt64.self)
    }

    /// The thirty-two lower-case hexadecimal digits of two numbers, for `set(digits:at:)`: made once where they are written
    /// more than once.
    @inline(__always)
    static func hexDigits(_ first: UInt64, _ second: UInt64) -> SIMD4<UInt64> {
        SIMD4(
            Self.hexDigits(UInt32(truncatingIfNeeded: first &>> 32)).littleEndian,
            Self.hexDigits(UInt32(truncatingIfNeeded: first)).littleEndian,
            Self.hexDigits(UInt32(truncatingIfNeeded: second &>> 32)).littleEndian,
            Self.hexDigits(UInt32(truncatingIfNeeded: second)).littleEndian)
    }

    /// Puts digits in place of the thirty-two bytes from `offset`. Traps when out of bounds.
    @inline(__always)
    mutating func set(digits: SIMD4<UInt64>, at offset: Int) {
        var span = self.mutableSpan
        var bytes = span.mutableBytes
        bytes.storeBytes(of: digits, toByteOffset: offset, as: SIMD4<UInt64>.self)
    }

    /// Appends the sixteen lower-case hexadecimal digits of a number.
    mutating func append(hex value: UInt64) {
        let digits = (
            Self.hexDigits(UInt32(truncatingIfNeeded: value &>> 32)).littleEndian,
            Self.hexDigits(UInt32(truncatingIfNeeded: value)).littleEndian
        )
        // The pointer does not leave the closure.
        unsafe Swift.withUnsafeBytes(of: digits) { unsafe self.append(contentsOf: $0) }
    }

    /// The eight digits of a number, the first one in the lowest byte: each half byte gets a byte, then all eight become
    /// digits at once.
    private static func hexDigits(_ value: UInt32) -> UInt64 {
        var x = UInt64(value)
        x = (x & 0xFFFF_0000) &<< 16 | x & 0xFFFF
        x = (x & 0x0000_FF00_0000_FF00) &<< 8 | x & 0x0000_00FF_0000_00FF
        x = (x & 0x00F0_00F0_00F0_00F0) &<< 4 | x & 0x000F_000F_000F_000F
        let letters = ((x &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        // From `9` to `a` there are 39 more than from 9 to 10.
        return (x &+ 0x3030_3030_3030_3030 &+ letters &* 39).byteSwapped
    }

    /// Appends the bytes of a span.
    ///
    /// By a buffer pointer, as elsewhere in this file and nowhere else in the core: spans have no bulk append yet, and
    /// copying byte by byte costs a microsecond where this costs nanoseconds. The pointer does not leave the closure.
    @inlinable
    public mutating func append(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe self.append(contentsOf: $0) }
    }

    /// Appends the UTF-8 of a literal.
    @inlinable
    public mutating func append(_ string: StaticString) {
        string.withUTF8Buffer { self.append(contentsOf: $0) }
    }
}
