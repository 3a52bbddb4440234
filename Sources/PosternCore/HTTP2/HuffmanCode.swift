/// The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), read a symbol at a time: most have at most eight bits and
/// are one look into a table.
struct HuffmanCode: Sendable {
    /// The one that loops share.
    static let shared = HuffmanCode()

    /// By the next eight bits: the symbol above its length; 0 where the code is longer.
    private let short: [UInt16]
    /// Of the codes of each length, that are numbers in a row: the first one, as the upper bits of a word, the first word after
    /// them, and where their symbols stand in `symbols`.
    private let ranges: [(first: UInt32, end: UInt32, place: Int)]
    /// All symbols, in the order of their codes.
    private let symbols: [UInt16]

    private static let longest = 30

    /// Decodes a string.
    ///
    /// - Parameter output: gets the bytes from its beginning; it has at least `HuffmanCode.bound(of:)` of them.
    /// - Returns: how many bytes it has; nil if the bytes are no valid encoding: the end is filled with at most seven bits, all of
    ///   them 1.
    func decode(_ bytes: RawSpan, into output: inout [UInt8]) -> Int? {
        var output = output.mutableSpan
        let short = self.short.span
        var rest = Bits()
        var written = 0
        while true {
            rest.fill(bytes)
            // No code is longer, so none of these has to be held against what is there.
            while rest.count >= Self.longest {
                var entry = short[Int(truncatingIfNeeded: rest.bits &>> 56)]
                if entry == 0 {
                    guard let long = self.long(rest.bits), long & 0x1_0000 == 0 else { return nil }
                    entry = UInt16(truncatingIfNeeded: long)
                }
                output[written] = UInt8(truncatingIfNeeded: entry &>> 8)
                written &+= 1
                rest.drop(Int(entry & 0xFF))
            }
            if rest.read == bytes.byteCount { break }
        }
        while let entry = self.next(rest.bits), Int(entry & 0xFF) <= rest.count {
            guard entry & 0x1_0000 == 0 else { return nil }
            output[written] = UInt8(truncatingIfNeeded: entry &>> 8)
            written &+= 1
            rest.drop(Int(entry & 0xFF))
        }
        guard rest.count < 8, rest.bits == ~(UInt64.max &>> UInt64(rest.count)) else { return nil }
        return written
    }

    /// The bits that come next, the first one highest.
    private struct Bits {
        var bits: UInt64 = 0
        var count = 0
        /// Bytes that they were taken from.
        var read = 0

        /// Takes as many bytes as there is place for. Behind the bits that count there may be more of the same bytes.
        @inline(__always)
        mutating func fill(_ bytes: RawSpan) {
            if self.read &+ 8 <= bytes.byteCount {
                self.bits |= bytes.word(self.read).byteSwapped &>> UInt64(self.count)
                let taken = (63 &- self.count) &>> 3
                self.read &+= taken
                self.count &+= taken &* 8
                return
            }
            while self.count <= 56, self.read < bytes.byteCount {
                self.bits |= UInt64(bytes.byte(self.read)) &<< UInt64(56 &- self.count)
                self.count &+= 8
                self.read &+= 1
            }
        }

        @inline(__always)
        mutating func drop(_ length: Int) {
            self.bits &<<= UInt64(length)
            self.count &-= length
        }
    }

    /// Bytes that so many encoded ones are at most.
    static func bound(of count: Int) -> Int { count &* 8 / 5 &+ 1 }

    /// The symbol whose code `bits` begin with, above its length.
    private func next(_ bits: UInt64) -> UInt32? {
        let entry = self.short[Int(truncatingIfNeeded: bits &>> 56)]
        return entry == 0 ? self.long(bits) : UInt32(entry)
    }

    /// The same where the code has more than eight bits. The end of a string is the symbol 256.
    @inline(never)
    private func long(_ bits: UInt64) -> UInt32? {
        let word = UInt32(truncatingIfNeeded: bits &>> 32)
        for length in 9...Self.longest where word < self.ranges[length].end || self.ranges[length].end == 0 {
            let range = self.ranges[length]
            guard word >= range.first else { continue }
            let symbol = self.symbols[range.place &+ Int((word &- range.first) &>> UInt32(32 &- length))]
            return UInt32(symbol) &<< 8 | UInt32(length)
        }
        return nil
    }

    private init() {
        // Codes are given out in order: by length, then by symbol.
        var code: UInt64 = 0
        var symbols: [UInt16] = []
        var short = [UInt16](repeating: 0, count: 256)
        var ranges: [(first: UInt32, end: UInt32, place: Int)] = [(0, 0, 0)]
        for length in 1...Self.longest {
            let unit: UInt64 = 1 &<< UInt64(32 - length)
            let first = code
            let place = symbols.count
            for (symbol, other) in Self.lengths.enumerated() where Int(other) == length {
                if length <= 8 {
                    let start = Int(code &>> 24)
                    for entry in start..<(start + 1 << (8 - length)) {
                        short[entry] = UInt16(symbol) << 8 | UInt16(length)
                    }
                }
                symbols.append(UInt16(symbol))
                code += unit
            }
            ranges.append((UInt32(first), UInt32(truncatingIfNeeded: code), place))
        }
        self.short = short
        self.ranges = ranges
        self.symbols = symbols
    }

    /// Bits of the code of each byte, and of the end of a string.
    private static let lengths: [UInt8] = [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
        28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
        7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
        23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
        21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
    ]
}
