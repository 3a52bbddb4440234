/// An IP address as bytes: 4 for IPv4, 16 for IPv6 (RFC 4291 section 2.2).
struct IPAddress: Equatable, Sendable {
    var bytes: [UInt8]

    var isIPv6: Bool { self.bytes.count == 16 }

    /// Reads dotted decimal without leading zeros, or IPv6 without brackets and zone.
    init?(_ text: String) {
        let utf8 = Array(text.utf8)
        guard let address = NetworkAddress(utf8.span.bytes) else { return nil }
        let all = (0..<16).map { UInt8(truncatingIfNeeded: address.bits >> (120 - 8 * $0)) }
        self.bytes = text.contains(":") ? all : Array(all[12...])
    }

    /// Whether it is the address of this host: 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        self.isIPv6 ? self.bytes.dropLast().allSatisfy { $0 == 0 } && self.bytes[15] == 1 : self.bytes[0] == 127
    }

    /// Whether it is a wildcard: 0.0.0.0 or ::.
    var isUnspecified: Bool { self.bytes.allSatisfy { $0 == 0 } }

    /// Whether it is loopback, link-local or for private use (RFC 1918, RFC 4193).
    var isPrivate: Bool {
        if self.isLoopback { return true }
        let first = self.bytes[0]
        let second = self.bytes[1]
        if self.isIPv6 { return first & 0xFE == 0xFC || (first == 0xFE && second & 0xC0 == 0x80) }
        return first == 10 || (first == 172 && (16...31).contains(second)) || (first == 192 && second == 168)
            || (first == 169 && second == 254)
    }
}
