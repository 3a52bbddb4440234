/// An IP address as bytes: 4 for IPv4, 16 for IPv6 (RFC 4291 section 2.2).
struct IPAddress: Equatable, Sendable {
    var bytes: [UInt8]

    var isIPv6: Bool { self.bytes.count == 16 }

    /// Reads dotted decimal without leading zeros, or IPv6 without brackets and zone.
    init?(_ text: String) {
        guard let bytes = text.contains(":") ? Self.parseV6(text) : Self.parseV4(text) else { return nil }
        self.bytes = bytes
    }

    private static func parseV4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part == "0" || part.first != "0",
                let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func parseV6(_ text: String) -> [UInt8]? {
        guard let gap = Self.gap(in: text) else {
            guard let bytes = Self.groups(text[...]), bytes.count == 16 else { return nil }
            return bytes
        }
        guard let head = Self.groups(text[..<gap.lowerBound], mayEndAsV4: false),
            let tail = Self.groups(text[gap.upperBound...]),
            head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// Where the first `::` is.
    private static func gap(in text: String) -> Range<String.Index>? {
        var previous: String.Index?
        for index in text.indices {
            if let previous, text[previous] == ":", text[index] == ":" {
                return previous..<text.index(after: index)
            }
            previous = index
        }
        return nil
    }

    /// The bytes of colon-separated groups; at the end of the whole address the last one may be an IPv4 address. Nothing at all is no bytes.
    private static func groups(_ text: Substring, mayEndAsV4: Bool = true) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if part.contains(".") {
                guard mayEndAsV4, index == parts.count - 1, let last = Self.parseV4(part) else { return nil }
                bytes += last
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(truncatingIfNeeded: group)]
            }
        }
        return bytes
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

    /// Whether a text is `address/prefix` with no bits set after the prefix.
    static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let prefix = Int(parts[1]),
            prefix <= address.bytes.count * 8
        else { return false }
        for bit in prefix..<(address.bytes.count * 8) where address.bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 {
            return false
        }
        return true
    }
}
