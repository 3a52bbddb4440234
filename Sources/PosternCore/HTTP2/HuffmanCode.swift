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

    private static let endOfString: UInt16 = 256
    private static let longest = 30

    /// Decodes a string.
    ///
    /// - Parameter output: gets the bytes from its beginning; it has at least `HuffmanCode.bound(of:)` of them.
    /// - Returns: how many bytes it has; nil if the bytes are no valid encoding: the end is filled with at most seven bits, all of
    ///   them 1.
    func decode(_ bytes: RawSpan, into output: inout [UInt8]) -> Int? {
        var bits: UInt64 = 0
        var count = 0
        var read = 0
        var written = 0
        while true {
            while count <= 56, read < bytes.byteCount {
                bits |= UInt64(bytes.byte(read)) &<< UInt64(56 &- count)
                count &+= 8
                read &+= 1
            }
            let entry = self.short[Int(truncatingIfNeeded: bits &>> 56)]
            var symbol = entry &>> 8
            var length = Int(entry & 0xFF)
            if entry == 0 {
                guard let long = self.long(UInt32(truncatingIfNeeded: bits &>> 32)) else { return nil }
                (symbol, length) = long
            }
            guard length <= count else { break }
            guard symbol != Self.endOfString else { return nil }
            output[written] = UInt8(truncatingIfNeeded: symbol)
            written &+= 1
            bits &<<= UInt64(length)
            count &-= length
        }
        guard count < 8, bits == ~(UInt64.max &>> UInt64(count)) else { return nil }
        return written
    }

    /// Bytes that so many encoded ones are at most.
    static func bound(of count: Int) -> Int { count &* 8 / 5 &+ 1 }

    /// The symbol whose code `word` begins with, and its length.
    private func long(_ word: UInt32) -> (symbol: UInt16, length: Int)? {
        for length in 9...Self.longest where word < self.ranges[length].end || self.ranges[length].end == 0 {
            let range = self.ranges[length]
            guard word >= range.first else { continue }
            return (self.symbols[range.place &+ Int((word &- range.first) &>> UInt32(32 &- length))], length)
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
