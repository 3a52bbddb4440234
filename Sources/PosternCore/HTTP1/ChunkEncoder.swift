/// Writes chunked framing (RFC 9112 section 7.1): sizes are made anew for what is passed on, so that no spelling of a
/// size and no extension that one side chose ever reaches the other.
public enum ChunkEncoder {
    /// Bytes that a chunk's size line has at most.
    public static let maximumSizeLine = 18

    /// Appends `size` in hexadecimal and CRLF.
    public static func appendSizeLine(_ size: Int, to output: inout [UInt8]) {
        var started = false
        var shift = 60
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: (size >> shift) & 0xF)
            if digit != 0 || started || shift == 0 {
                started = true
                output.append(digit < 10 ? digit &+ UInt8(ascii: "0") : digit &+ (UInt8(ascii: "a") &- 10))
            }
            shift &-= 4
        }
        output.append(UInt8(ascii: "\r"))
        output.append(UInt8(ascii: "\n"))
    }

    /// Appends the last chunk with `trailers` (whole lines with their CRLF, or nothing).
    public static func appendEnd(trailers: [UInt8], to output: inout [UInt8]) {
        output.append("0\r\n")
        output.append(contentsOf: trailers)
        output.append("\r\n")
    }
}
