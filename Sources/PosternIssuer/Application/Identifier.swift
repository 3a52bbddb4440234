import PosternCrypto

/// Identifiers that nobody chooses.
enum Identifier {
    /// A random UUID (RFC 9562 section 5.4) in lower case.
    static func uuid() -> String {
        var octets = Random.bytes(16)
        octets[6] = octets[6] & 0x0F | 0x40
        octets[8] = octets[8] & 0x3F | 0x80
        let digits = octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }

    /// Whether the text has the form of a UUID, in either case.
    static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && parts.allSatisfy { $0.utf8.allSatisfy { HexDigit.value($0) != nil } }
    }
}
