// Percent-escapes (RFC 3986 section 2.1) over bytes.

extension UInt8 {
    /// The value of an ASCII hexadecimal digit of either case; nil for another byte.
    @inline(__always)
    var hexadecimalValue: UInt8? {
        if self &- 0x30 < 10 { return self &- 0x30 }
        let letter = self | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x57 : nil
    }
}

extension RawSpan {
    /// The byte that the escape at `offset` stands for; nil unless `%` and two hexadecimal digits stand before `limit`.
    @inline(__always)
    func escapedByte(_ offset: Int, limit: Int) -> UInt8? {
        guard limit &- offset >= 3, self.byte(offset) == 0x25,
            let high = self.byte(offset &+ 1).hexadecimalValue, let low = self.byte(offset &+ 2).hexadecimalValue
        else { return nil }
        return high << 4 | low
    }

    /// One byte of percent-decoded text and where the next one stands. A `%` that begins no escape is itself.
    @inline(__always)
    func decodedByte(_ offset: Int, limit: Int) -> (byte: UInt8, next: Int) {
        let plain = self.byte(offset)
        guard plain == 0x25, let decoded = self.escapedByte(offset, limit: limit) else { return (plain, offset &+ 1) }
        return (decoded, offset &+ 3)
    }

    /// Whether the bytes of `range`, percent-decoded once, are exactly `text`. Allocates nothing.
    func decodedEquals(_ range: ByteRange, _ text: RawSpan) -> Bool {
        var i = Int(range.start)
        let end = Int(range.end)
        let count = text.byteCount
        var j = 0
        while i < end {
            guard j < count else { return false }
            let (byte, next) = self.decodedByte(i, limit: end)
            guard byte == text.byte(j) else { return false }
            i = next
            j &+= 1
        }
        return j == count
    }
}

extension [UInt8] {
    /// Appends `%` and two upper-case hexadecimal digits.
    mutating func appendEscape(of byte: UInt8) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
        self.append(0x25)
        self.append(digit(byte >> 4))
        self.append(digit(byte & 15))
    }
}
