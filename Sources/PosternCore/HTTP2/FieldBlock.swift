/// What of a field block (RFC 7541 section 6) is written and read without its tables.
public enum FieldBlock {
    /// Appends a field that no table keeps, as it is (section 6.2.2): for values that are no text, and so cannot be given to the
    /// library.
    ///
    /// - Parameter name: in any case; it is written in lower case.
    public static func append(_ name: RawSpan, _ value: RawSpan, to output: inout [UInt8]) {
        output.append(0)
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
        for shift in [0, 7, 14] {
            guard place < end else { return nil }
            let byte = bytes.byte(place)
            place &+= 1
            value &+= Int(byte & 127) &<< shift
            if byte < 128 { return value }
        }
        return nil
    }
}
