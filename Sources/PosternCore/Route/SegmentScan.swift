/// One segment of a path as the route table looks it up: where it ends, its first eight decoded bytes, and a hash of all
/// of it. A plain segment is read eight bytes at a time; one with escapes is decoded on the way, to the same values.
struct SegmentScan {
    /// Offset after the segment: a `/` or the path's end.
    var end: Int
    /// Decoded length in bytes.
    var length: Int
    /// The first eight decoded bytes, little-endian, zero after the end.
    var head: UInt64
    var hash: UInt64

    @inline(__always)
    private init(end: Int) {
        self.end = end
        self.length = 0
        self.head = 0
        self.hash = 0
    }

    /// The segment that begins at `start` of a path that ends at `limit` and holds no `%`.
    @inline(__always)
    init(plain bytes: RawSpan, from start: Int, limit: Int) {
        self.init(end: start)
        while true {
            let room = limit &- self.end
            var word = Self.load(bytes, at: self.end, room: room)
            let count = min(Self.bytesBeforeSlash(word), room)
            word = count == 8 ? word : word & Self.lowBytes(count)
            self.add(word, count: count)
            self.end &+= count
            if count < 8 { return }
        }
    }

    /// The same of a path that may hold escapes, all of them valid.
    init(escaped bytes: RawSpan, from start: Int, limit: Int) {
        self.init(end: start)
        var word: UInt64 = 0
        var count = 0
        while self.end < limit, bytes.byte(self.end) != UInt8(ascii: "/") {
            let (byte, next) = bytes.decodedByte(self.end, limit: limit)
            word |= UInt64(byte) &<< UInt64(count &* 8)
            count &+= 1
            self.end = next
            if count == 8 {
                self.add(word, count: 8)
                word = 0
                count = 0
            }
        }
        self.add(word, count: count)
    }

    /// The values of a pattern's literal, for the table.
    init(literal bytes: [UInt8]) {
        self.init(end: bytes.count)
        var i = 0
        while true {
            let count = min(8, bytes.count - i)
            var word: UInt64 = 0
            for k in 0..<count { word |= UInt64(bytes[i + k]) << UInt64(k * 8) }
            self.add(word, count: count)
            i += count
            if count < 8 { return }
        }
    }

    /// Takes in the next eight decoded bytes, or the fewer (also none) that end the segment.
    @inline(__always)
    private mutating func add(_ word: UInt64, count: Int) {
        if self.length == 0 { self.head = word }
        self.length &+= count
        let mixed = (self.hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        self.hash = mixed ^ mixed &>> 32
    }

    /// Eight bytes from `offset`; what lies beyond the span is zero. `room`: bytes left in the path.
    @inline(__always)
    private static func load(_ bytes: RawSpan, at offset: Int, room: Int) -> UInt64 {
        // A request line goes on after its path, so nearly always eight bytes are there.
        if offset &+ 8 <= bytes.byteCount { return bytes.word(offset) }
        return Self.loadTail(bytes, at: offset, room: room)
    }

    @inline(never)
    private static func loadTail(_ bytes: RawSpan, at offset: Int, room: Int) -> UInt64 {
        var word: UInt64 = 0
        for k in 0..<max(0, min(8, room)) { word |= UInt64(bytes.byte(offset &+ k)) << UInt64(k * 8) }
        return word
    }

    /// How many bytes of the word, from the lowest, come before the first `/`; 8 if there is none.
    @inline(__always)
    private static func bytesBeforeSlash(_ word: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let difference = word ^ ones &* 0x2F
        let zeros = (difference &- ones) & ~difference & 0x8080_8080_8080_8080
        return zeros.trailingZeroBitCount >> 3
    }

    @inline(__always)
    private static func lowBytes(_ count: Int) -> UInt64 {
        (1 &<< UInt64(count &* 8)) &- 1
    }
}
