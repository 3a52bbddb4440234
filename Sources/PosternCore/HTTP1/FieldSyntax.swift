// Grammar that heads of both directions share.

extension HeaderField {
    /// Reads one field line (without CRLF): `token ":" OWS value OWS` (RFC 9112 section 5).
    static func read(_ bytes: RawSpan, _ line: ByteRange) throws(HTTPProblem) -> HeaderField {
        let start = Int(line.start)
        let end = Int(line.end)
        let i = endOfToken(bytes, from: start, to: end)
        guard i > start, i < end, bytes.byte(i) == UInt8(ascii: ":") else {
            let first = bytes.byte(start)
            let folded = first == UInt8(ascii: " ") || first == UInt8(ascii: "\t")
            throw .malformed(folded ? .foldedLine : .fieldName)
        }
        let kind = FieldName.classify(bytes, start, i)
        return HeaderField(
            name: ByteRange(start, i), value: trimmed(bytes, i &+ 1, end), end: Int32(truncatingIfNeeded: end &+ 2),
            kind: kind)
    }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

@inline(__always)
private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

/// `bytes[start..<end]` without optional whitespace at both ends.
@inline(__always)
func trimmed(_ bytes: RawSpan, _ start: Int, _ end: Int) -> ByteRange {
    var first = start
    var last = end
    while first < last, isBlank(bytes.byte(first)) { first &+= 1 }
    while last > first, isBlank(bytes.byte(last &- 1)) { last &-= 1 }
    return ByteRange(first, last)
}

/// One plain decimal number up to `Int64.max`: digits only, no sign, no list, no leading zero; nil otherwise.
func decimal(_ bytes: RawSpan, _ range: ByteRange) -> Int64? {
    guard range.count >= 1, range.count <= 19 else { return nil }
    if range.count > 1, bytes.byte(Int(range.start)) == UInt8(ascii: "0") { return nil }
    var value: UInt64 = 0
    for i in range.range {
        let byte = bytes.byte(i)
        guard isDigit(byte) else { return nil }
        // 19 digits fit into 64 bits without a sign; only then may the sign bit be set.
        value = value &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
    }
    return Int64(exactly: value)
}

/// Calls `body` with each non-empty item of a comma-separated list (RFC 9110 section 5.6.1), whitespace trimmed.
@inline(__always)
func forEachListItem(_ bytes: RawSpan, _ range: ByteRange, _ body: (RawSpan) -> Void) {
    forEachListRange(bytes, range) { body(bytes.slice($0)) }
}

/// The same with the item's place.
@inline(__always)
func forEachListRange(_ bytes: RawSpan, _ range: ByteRange, _ body: (ByteRange) -> Void) {
    var start = Int(range.start)
    let end = Int(range.end)
    while start <= end {
        var i = start
        while i < end, bytes.byte(i) != UInt8(ascii: ",") { i &+= 1 }
        let item = trimmed(bytes, start, i)
        if !item.isEmpty { body(item) }
        start = i &+ 1
    }
}

/// How many fields Connection may name. Each field of a head is held against each of them, so without a limit one head of
/// 32 KiB would cost as much as thousands.
let nominatedLimit = 100

/// Whether `nominated`, what Connection names, holds the name of `field` (RFC 9110 section 7.6.1). Framing and routing
/// fields are never taken away: a request that names them was refused.
func isNominated(_ bytes: RawSpan, _ nominated: [ByteRange], _ field: HeaderField) -> Bool {
    if field.kind == .host || field.kind == .contentLength { return false }
    for item in nominated where item.count == field.name.count {
        if equalIgnoringCase(bytes, item, field.name) { return true }
    }
    return false
}

private func equalIgnoringCase(_ bytes: RawSpan, _ one: ByteRange, _ other: ByteRange) -> Bool {
    for i in 0..<one.count {
        let first = bytes.byte(Int(one.start) &+ i).asciiLowercased
        guard first == bytes.byte(Int(other.start) &+ i).asciiLowercased else { return false }
    }
    return true
}

/// Whether `text` is a host and an optional port: a name or IPv4 address of letters, digits and `-._`, or an IP literal in
/// brackets, then perhaps `:` and a port up to 65535. Narrower than RFC 3986 section 3.2.2, which would let lists and
/// escapes pass for a name.
func isHostAndPort(_ text: RawSpan) -> Bool {
    let count = text.byteCount
    guard count > 0, count <= 512 else { return false }
    var i = 0
    if text.byte(0) == UInt8(ascii: "[") {
        i = 1
        while i < count, isAddressCharacter(text.byte(i)) { i &+= 1 }
        guard i > 2, i < count, text.byte(i) == UInt8(ascii: "]") else { return false }
        i &+= 1
    } else {
        while i < count, isHostCharacter(text.byte(i)) { i &+= 1 }
        guard i > 0 else { return false }
    }
    if i == count { return true }
    guard text.byte(i) == UInt8(ascii: ":"), count &- i <= 6 else { return false }
    var port = 0
    for j in (i &+ 1)..<count {
        guard isDigit(text.byte(j)) else { return false }
        port = port &* 10 &+ Int(text.byte(j) &- UInt8(ascii: "0"))
    }
    return port <= 65535
}

/// What an IP literal is made of.
@inline(__always)
private func isAddressCharacter(_ byte: UInt8) -> Bool {
    isHexDigit(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
}

@inline(__always)
func isHexDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6
}
