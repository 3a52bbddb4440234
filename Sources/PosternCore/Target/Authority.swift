/// The authority of an absolute-form target (RFC 9112 section 3.2.2).
enum Authority {
    /// The range of `host` or `host:port` when the target begins with `http://` or `https://` (any case); nil for
    /// another scheme or form, userinfo, an empty host, or anything that is not plainly a host and a port.
    static func find(_ bytes: RawSpan, _ target: ByteRange) -> ByteRange? {
        let start = Int(target.start)
        let limit = Int(target.end)
        let first: Int
        if target.count >= 7, bytes.slice(ByteRange(start, start &+ 7)).equalsIgnoringCase("http://") {
            first = start &+ 7
        } else if target.count >= 8, bytes.slice(ByteRange(start, start &+ 8)).equalsIgnoringCase("https://") {
            first = start &+ 8
        } else {
            return nil
        }
        var end = first
        while end < limit {
            let byte = bytes.byte(end)
            if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") { break }
            end &+= 1
        }
        let hostEnd =
            bytes.byte(first, isIn: end) == UInt8(ascii: "[")
            ? Self.endOfLiteral(bytes, from: first, limit: end) : Self.endOfName(bytes, from: first, limit: end)
        guard let hostEnd, Self.isPort(bytes, from: hostEnd, limit: end) else { return nil }
        return ByteRange(first, end)
    }

    /// The end of a non-empty name or IPv4 address: letters, digits, `-`, `.`, `_`.
    private static func endOfName(_ bytes: RawSpan, from start: Int, limit: Int) -> Int? {
        var i = start
        while i < limit, bytes.byte(i) != UInt8(ascii: ":") {
            let byte = bytes.byte(i)
            guard byte.asciiLowercased &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x2E || byte == 0x5F
            else { return nil }
            i &+= 1
        }
        return i > start ? i : nil
    }

    /// The end of a bracketed IPv6 address; hexadecimal digits, `:` and `.` are all that is looked for inside.
    private static func endOfLiteral(_ bytes: RawSpan, from start: Int, limit: Int) -> Int? {
        var i = start &+ 1
        while i < limit, bytes.byte(i) != UInt8(ascii: "]") {
            let byte = bytes.byte(i)
            guard byte.hexadecimalValue != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".") else {
                return nil
            }
            i &+= 1
        }
        return i < limit && i > start &+ 1 ? i &+ 1 : nil
    }

    /// Whether nothing, or `:` and a port from 0 to 65535 in at most five digits, stands at `start`.
    private static func isPort(_ bytes: RawSpan, from start: Int, limit: Int) -> Bool {
        guard start < limit else { return true }
        guard bytes.byte(start) == UInt8(ascii: ":"), limit &- start >= 2, limit &- start <= 6 else { return false }
        var port = 0
        for i in (start &+ 1)..<limit {
            let digit = bytes.byte(i) &- 0x30
            guard digit < 10 else { return false }
            port = port &* 10 &+ Int(digit)
        }
        return port <= 65535
    }
}

extension RawSpan {
    /// The byte at `offset`, or nil when `limit` is not beyond it.
    fileprivate func byte(_ offset: Int, isIn limit: Int) -> UInt8? {
        offset < limit ? self.byte(offset) : nil
    }
}
