import PosternCore

/// The two forms of an ECDSA signature: JWS writes r‖s, each of the curve's field length (RFC 7518 section 3.4);
/// libcrypto reads and writes the ASN.1 sequence of two integers (RFC 3279 section 2.2.3).
enum ECDSASignature {
    /// r‖s as DER. The caller has checked that `signature` is exactly two field lengths.
    static func der(_ signature: RawSpan) -> [UInt8] {
        let half = signature.byteCount / 2
        var body: [UInt8] = []
        body.reserveCapacity(signature.byteCount + 12)
        self.appendInteger(signature.extracting(0..<half), to: &body)
        self.appendInteger(signature.extracting(half..<signature.byteCount), to: &body)
        var result: [UInt8] = [0x30]
        result.reserveCapacity(body.count + 3)
        // P-521 needs the long form of the length: its body can be 139 octets.
        if body.count >= 0x80 { result.append(0x81) }
        result.append(UInt8(truncatingIfNeeded: body.count))
        result.append(contentsOf: body)
        return result
    }

    /// DER as r‖s with `length` octets each, or nil if it is no such sequence. Only used on what libcrypto made.
    static func concatenation(der: [UInt8], length: Int) -> [UInt8]? {
        var rest = der[...]
        guard rest.popFirst() == 0x30, let first = rest.popFirst() else { return nil }
        if first == 0x81 { _ = rest.popFirst() }
        guard let r = Self.integer(&rest, length), let s = Self.integer(&rest, length), rest.isEmpty else { return nil }
        return r + s
    }

    private static func appendInteger(_ octets: RawSpan, to body: inout [UInt8]) {
        let count = octets.byteCount
        var start = 0
        while start < count - 1, octets.byte(start) == 0 { start += 1 }
        let needsZero = octets.byte(start) >= 0x80
        body.append(0x02)
        body.append(UInt8(truncatingIfNeeded: count - start + (needsZero ? 1 : 0)))
        if needsZero { body.append(0) }
        for i in start..<count { body.append(octets.byte(i)) }
    }

    private static func integer(_ rest: inout ArraySlice<UInt8>, _ length: Int) -> [UInt8]? {
        guard rest.popFirst() == 0x02, let count = rest.popFirst(), count < 0x80, rest.count >= Int(count) else {
            return nil
        }
        let significant = rest.prefix(Int(count)).drop { $0 == 0 }
        rest = rest.dropFirst(Int(count))
        guard significant.count <= length else { return nil }
        return [UInt8](repeating: 0, count: length - significant.count) + significant
    }
}
