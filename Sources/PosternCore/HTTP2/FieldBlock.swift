/// What of a field block (RFC 7541 section 6) is written without its tables.
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
    private static func appendLength(_ length: Int, to output: inout [UInt8]) {
        guard length >= 127 else { return output.append(UInt8(length)) }
        output.append(127)
        var rest = length &- 127
        while rest >= 128 {
            output.append(UInt8(rest & 127 | 128))
            rest &>>= 7
        }
        output.append(UInt8(rest))
    }
}
