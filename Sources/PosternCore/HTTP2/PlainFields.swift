/// Takes the Huffman code (RFC 7541 section 5.2) off the long strings of the field sections that a client sends: a token is
/// nearly all of a head, and the library takes five times as long for it. What the fields are does not change, nor what any
/// table keeps; a block in which anything is odd stays as it is, for the library to refuse.
public struct PlainFields: Sendable {
    /// Shorter strings, in encoded bytes, are not worth it.
    static let shortest = 48
    private static let headerLength = 9
    private static let headers: UInt8 = 1
    private static let endHeaders: UInt8 = 0x4
    private static let padded: UInt8 = 0x8
    private static let priority: UInt8 = 0x20

    private var text: [UInt8] = []
    private var block: [UInt8] = []

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
            guard self.rewriteBlock(bytes, fields, end) else { continue }
            let count = fields &- payload &+ self.block.count
            guard count <= LargeFrame.longestPayload else { continue }
            if output.isEmpty { output.reserveCapacity(bytes.byteCount &* 3 / 2) }
            output.append(bytes.extracting(copied..<place))
            output.append(0)
            output.append(UInt8(count &>> 8))
            output.append(UInt8(count & 0xFF))
            output.append(bytes.extracting((place &+ 3)..<fields))
            output.append(contentsOf: self.block)
            copied = end
        }
        guard copied > 0 else { return nil }
        output.append(bytes.extracting(copied..<bytes.byteCount))
        return output
    }

    /// Writes the block between two places to `block`. Returns whether it differs, and is in order as far as can be seen.
    private mutating func rewriteBlock(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Bool {
        self.block.removeAll(keepingCapacity: true)
        var copied = start
        var place = start
        while place < end {
            let first = bytes.byte(place)
            // Indexed; a literal that is kept; a change of the table's size; a literal that is not kept (section 6).
            let prefix: UInt8 = first >= 0x80 ? 7 : first >= 0x40 ? 6 : first >= 0x20 ? 5 : 4
            guard let index = FieldBlock.integer(bytes, &place, prefix: prefix, end: end) else { return false }
            guard prefix == 6 || prefix == 4 else { continue }
            if index == 0 {
                guard self.takeString(bytes, &place, end, &copied) else { return false }
            }
            guard self.takeString(bytes, &place, end, &copied) else { return false }
        }
        guard copied > start else { return false }
        self.block.append(bytes.extracting(copied..<end))
        return true
    }

    /// Goes over a string. One that is long and compressed is written to `block`, behind what came before it.
    private mutating func takeString(_ bytes: RawSpan, _ place: inout Int, _ end: Int, _ copied: inout Int) -> Bool {
        let start = place
        guard start < end, let length = FieldBlock.integer(bytes, &place, prefix: 7, end: end), length <= end &- place
        else { return false }
        let content = place
        place &+= length
        guard bytes.byte(start) >= 0x80, length >= Self.shortest else { return true }
        let bound = HuffmanCode.bound(of: length)
        if self.text.count < bound { self.text.append(contentsOf: repeatElement(0, count: bound &- self.text.count)) }
        guard let count = HuffmanCode.shared.decode(bytes.extracting(content..<place), into: &self.text) else {
            return false
        }
        self.block.append(bytes.extracting(copied..<start))
        FieldBlock.appendLength(count, to: &self.block)
        let text = self.text
        self.block.append(text.span.bytes.extracting(0..<count))
        copied = place
        return true
    }
}
