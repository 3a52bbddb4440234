/// Takes the Huffman code (RFC 7541 section 5.2) off the long strings of the field sections that a client sends: a token is
/// nearly all of a head, and the library takes five times as long for it. What the fields are does not change, nor what any
/// table keeps; a block in which anything is odd stays as it is, for the library to refuse.
///
/// One for each connection: the string that was decoded last is kept, as a client sends one token with many requests.
public struct PlainFields: Sendable {
    /// Shorter strings, in encoded bytes, are not worth it.
    static let shortest = 48
    private static let headerLength = 9
    private static let headers: UInt8 = 1
    private static let endHeaders: UInt8 = 0x4
    private static let padded: UInt8 = 0x8
    private static let priority: UInt8 = 0x20

    /// Encoded bytes that are kept.
    private static let longestKept = 2_048

    /// The string that was decoded last: as it came, what it is, and how many bytes of `text` that is.
    private var code: [UInt8] = []
    private var text: [UInt8] = []
    private var count = 0

    public init() {}

    /// Goes through whole frames, the last of which may be DATA that is not complete.
    ///
    /// - Parameter start: where the first of them begins.
    /// - Returns: all of the bytes, changed; nil if there was nothing to do.
    public mutating func rewrite(_ bytes: RawSpan, from start: Int) -> [UInt8]? {
        var output: [UInt8] = []
        var copied = 0
        var place = start
        while place &+ Self.headerLength <= bytes.byteCount {
            let payload = place &+ Self.headerLength
            let length = Int(bytes.byte(place)) &<< 16 | Int(bytes.byte(place &+ 1)) &<< 8 | Int(bytes.byte(place &+ 2))
            let end = payload &+ length
            defer { place = end }
            let flags = bytes.byte(place &+ 4)
            guard bytes.byte(place &+ 3) == Self.headers, flags & (Self.endHeaders | Self.padded) == Self.endHeaders,
                end <= bytes.byteCount
            else { continue }
            let fields = flags & Self.priority == 0 ? payload : payload &+ 5
            let mark = output.count
            let header = mark &+ place &- copied
            guard self.rewriteBlock(bytes, fields, end, from: copied, into: &output) else {
                output.removeLast(output.count &- mark)
                continue
            }
            guard output.count > mark else { continue }
            let count = output.count &- header &- Self.headerLength
            guard count <= LargeFrame.longestPayload else {
                output.removeLast(output.count &- mark)
                continue
            }
            output[header] = 0
            output[header &+ 1] = UInt8(count &>> 8)
            output[header &+ 2] = UInt8(count & 0xFF)
            copied = end
        }
        guard copied > 0 else { return nil }
        output.append(bytes.extracting(copied..<bytes.byteCount))
        return output
    }

    /// Appends the bytes up to the end of a block that is between two places, if that has long strings.
    ///
    /// - Parameter copied: the first byte that is not in `output` yet.
    /// - Returns: false if the block is not in order as far as can be seen.
    private mutating func rewriteBlock(
        _ bytes: RawSpan, _ start: Int, _ end: Int, from copied: Int, into output: inout [UInt8]
    ) -> Bool {
        let first = copied
        var copied = copied
        var place = start
        while place < end {
            let type = bytes.byte(place)
            // Indexed; a literal that is kept; a change of the table's size; a literal that is not kept (section 6).
            let prefix: UInt8 = type >= 0x80 ? 7 : type >= 0x40 ? 6 : type >= 0x20 ? 5 : 4
            guard let index = FieldBlock.integer(bytes, &place, prefix: prefix, end: end) else { return false }
            guard prefix == 6 || prefix == 4 else { continue }
            for _ in 0..<(index == 0 ? 2 : 1) {
                let start = place
                guard let isLong = Self.passString(bytes, &place, end) else { return false }
                guard isLong else { continue }
                guard self.decode(bytes, start, place) else { return false }
                if output.isEmpty { output.reserveCapacity(bytes.byteCount &* 3 / 2) }
                output.append(bytes.extracting(copied..<start))
                FieldBlock.appendLength(self.count, to: &output)
                output.append(self.text.span.bytes.extracting(0..<self.count))
                copied = place
            }
        }
        if copied > first { output.append(bytes.extracting(copied..<end)) }
        return true
    }

    /// Goes over a string. Returns whether it is long and compressed; nil if it does not end before `end`.
    private static func passString(_ bytes: RawSpan, _ place: inout Int, _ end: Int) -> Bool? {
        guard place < end else { return nil }
        let isCompressed = bytes.byte(place) >= 0x80
        guard let length = FieldBlock.integer(bytes, &place, prefix: 7, end: end), length <= end &- place else {
            return nil
        }
        place &+= length
        return isCompressed && length >= Self.shortest
    }

    /// Decodes the string between two places to `text`. Returns whether it is in order.
    private mutating func decode(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Bool {
        // Its length is a part of what is compared, and kept.
        let string = bytes.extracting(start..<end)
        if string.equals(self.code.span.bytes) { return true }
        var content = 0
        guard FieldBlock.integer(string, &content, prefix: 7, end: string.byteCount) != nil else { return false }
        let bound = HuffmanCode.bound(of: string.byteCount)
        self.code.removeAll(keepingCapacity: true)
        if self.text.count < bound { self.text.append(contentsOf: repeatElement(0, count: bound &- self.text.count)) }
        let code = string.extracting(content..<string.byteCount)
        guard let count = HuffmanCode.shared.decode(code, into: &self.text) else { return false }
        self.count = count
        if string.byteCount <= Self.longestKept { self.code.append(string) }
        return true
    }
}
