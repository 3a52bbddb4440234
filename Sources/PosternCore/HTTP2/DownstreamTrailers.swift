/// Makes the end of a chunked body of a request's trailers in HTTP/2 (RFC 9113 section 8.1). Which fields may come as trailers
/// at all is for the reader of HTTP/1.1 bodies.
public enum DownstreamTrailers {
    /// Appends one trailer line, checked.
    public static func append(
        _ name: String, _ value: String, to output: inout [UInt8]
    ) throws(HTTP2Malformation) {
        guard name.utf8.first != UInt8(ascii: ":") else { throw .trailers }
        let start = output.count
        output.append(contentsOf: name.utf8)
        let nameEnd = output.count
        output.append(": ")
        output.append(contentsOf: value.utf8)
        let end = output.count
        let kind = try HTTP2FieldRules.check(
            output.span.bytes.extracting(start..<end), nameEnd: nameEnd &- start)
        guard kind != .te else { throw .connectionField }
        output.append("\r\n")
    }

    /// Calls `body` with the name and the value of each line; the lines are whole and were checked.
    public static func forEach(_ lines: [UInt8], _ body: (_ name: RawSpan, _ value: RawSpan) -> Void) {
        let bytes = lines.span.bytes
        var start = 0
        while start < bytes.byteCount {
            var end = start
            while end < bytes.byteCount, bytes.byte(end) != UInt8(ascii: "\r") { end &+= 1 }
            if end > start, let field = try? HeaderField.read(bytes, ByteRange(start, end)) {
                body(bytes.slice(field.name), bytes.slice(field.value))
            }
            start = end &+ 2
        }
    }
}
