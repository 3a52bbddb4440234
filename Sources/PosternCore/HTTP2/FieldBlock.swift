/// What of a field block (RFC 7541 section 6) is written and read without its tables.
public enum FieldBlock {
    /// Appends a field that no table keeps, as it is (section 6.2.2): it is copied, where the library makes strings of it, looks
    /// for it in tables and compresses it; and it need not be text.
    ///
    /// - Parameters:
    ///   - name: in any case; it is written in lower case.
    ///   - isSecret: nobody who passes the field on may keep it in a table, either (section 6.2.3).
    public static func append(
        _ name: RawSpan, _ value: RawSpan, isSecret: Bool = false, to output: inout [UInt8]
    ) {
        output.append(isSecret ? Self.neverIndexed : 0)
        Self.appendLength(name.byteCount, to: &output)
        for i in 0..<name.byteCount { output.append(name.byte(i).asciiLowercased) }
        Self.appendLength(value.byteCount, to: &output)
        output.append(value)
    }

    /// Appends what a string that is not compressed begins with (section 5.2).
    static func appendLength(_ length: Int, to output: inout [UInt8]) {
        guard length >= 127 else { return output.append(UInt8(length)) }
        output.append(127)
        var rest = length &- 127
        while rest >= 128 {
            output.append(UInt8(rest & 127 | 128))
            rest &>>= 7
        }
        output.append(UInt8(rest))
    }

    private static let neverIndexed: UInt8 = 0x10

    /// Calls `body` with the fields that `append` has written.
    static func forEach(_ block: RawSpan, _ body: (_ name: RawSpan, _ value: RawSpan, _ isSecret: Bool) -> Void) {
        var place = 0
        while place < block.byteCount {
            let isSecret = block.byte(place) == Self.neverIndexed
            place &+= 1
            guard let name = Self.string(block, &place), let value = Self.string(block, &place) else { return }
            body(block.slice(name), block.slice(value), isSecret)
        }
    }

    private static func string(_ block: RawSpan, _ place: inout Int) -> ByteRange? {
        guard let length = Self.integer(block, &place, prefix: 7, end: block.byteCount) else { return nil }
        defer { place &+= length }
        return length <= block.byteCount &- place ? ByteRange(place, place &+ length) : nil
    }

    /// Reads an integer (section 5.1) from `place` on, and goes behind it.
    ///
    /// - Parameter prefix: how many bits of the first byte are its own.
    /// - Returns: nil if it does not end before `end`, or is larger than anything in a frame.
    static func integer(_ bytes: RawSpan, _ place: inout Int, prefix: UInt8, end: Int) -> Int? {
        guard place < end else { return nil }
        let most = Int(UInt8(1) &<< prefix &- 1)
        var value = Int(bytes.byte(place)) & most
        place &+= 1
        guard value == most else { return value }
        for shift in [0, 7, 14, 21] {
            guard place < end else { return nil }
            let byte = bytes.byte(place)
            place &+= 1
            value &+= Int(byte & 127) &<< shift
            if byte < 128 { return value }
        }
        return nil
    }
}
