/// The other place in which a client may put a token (RFC 6750 section 2.3): the query parameter `access_token`.
enum AccessTokenParameter {
    /// Whether a parameter of the query has the name `access_token`, percent-decoded once. A `;` separates parameters
    /// like `&`, because some servers read it so; a parameter without `=` counts as well.
    static func isPresent(_ bytes: RawSpan, _ query: ByteRange) -> Bool {
        var i = Int(query.start)
        let end = Int(query.end)
        while i < end {
            let first = bytes.byte(i)
            if first == UInt8(ascii: "a") || first == UInt8(ascii: "%"), Self.isName(bytes, at: i, limit: end) {
                return true
            }
            while i < end, bytes.byte(i) != UInt8(ascii: "&"), bytes.byte(i) != UInt8(ascii: ";") { i &+= 1 }
            i &+= 1
        }
        return false
    }

    private static func isName(_ bytes: RawSpan, at start: Int, limit: Int) -> Bool {
        let name: StaticString = "access_token"
        var i = start
        let matches = name.withUTF8Buffer { expected in
            for letter in expected {
                guard i < limit else { return false }
                let (byte, next) = bytes.decodedByte(i, limit: limit)
                guard byte == letter else { return false }
                i = next
            }
            return true
        }
        guard matches else { return false }
        guard i < limit else { return true }
        let byte = bytes.byte(i)
        return byte == UInt8(ascii: "=") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";")
    }
}
