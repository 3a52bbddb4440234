/// An IP address as a number, so that holding one against a network costs a few instructions and no memory.
///
/// An IPv4 address is the IPv6 address that it is mapped to (`::ffff:a.b.c.d`, RFC 4291 section 2.5.5.2): a socket for both
/// families gives IPv4 peers that way, and they are the same peers.
public struct NetworkAddress: Equatable, Sendable {
    /// The 16 bytes in network order, the first one highest.
    let bits: UInt128

    init(bits: UInt128) {
        self.bits = bits
    }

    init(ipv4 bits: UInt32) {
        self.bits = 0xFFFF_0000_0000 | UInt128(bits)
    }

    var isIPv4: Bool { self.bits &>> 32 == 0xFFFF }

    /// Reads dotted decimal without leading zeros, or IPv6 (RFC 4291 section 2.2) without brackets and zone. Nil for
    /// anything else. Allocates nothing.
    public init?(_ text: RawSpan) {
        guard text.byteCount <= Self.longest else { return nil }
        if let ipv4 = Self.dotted(text, 0, text.byteCount) {
            self.init(ipv4: ipv4)
        } else if let bits = Self.colons(text) {
            self.init(bits: bits)
        } else {
            return nil
        }
    }

    /// Bytes of the longest text of an address: eight groups of four digits, the last two as IPv4.
    private static let longest = 45

    // MARK: - Reading

    /// Four numbers up to 255 in `text[start..<end]`.
    private static func dotted(_ text: RawSpan, _ start: Int, _ end: Int) -> UInt32? {
        var address: UInt32 = 0
        var i = start
        for part in 0..<4 {
            if part > 0 {
                guard i < end, text.byte(i) == UInt8(ascii: ".") else { return nil }
                i &+= 1
            }
            let first = i
            var number: UInt32 = 0
            while i < end, i &- first < 3, isDigit(text.byte(i)) {
                number = number &* 10 &+ UInt32(text.byte(i) &- UInt8(ascii: "0"))
                i &+= 1
            }
            guard i > first, number <= 255, i &- first == 1 || text.byte(first) != UInt8(ascii: "0") else { return nil }
            address = address &<< 8 | number
        }
        return i == end ? address : nil
    }

    /// Groups of up to four hexadecimal digits between colons; one `::` for as many zeros as are missing.
    private static func colons(_ text: RawSpan) -> UInt128? {
        let end = text.byteCount
        var bits: UInt128 = 0
        var groups = 0
        var gap: Int?
        var i = 0
        if end >= 2, text.byte(0) == UInt8(ascii: ":") {
            guard text.byte(1) == UInt8(ascii: ":") else { return nil }
            gap = 0
            i = 2
        }
        while i < end {
            if let ipv4 = Self.dotted(text, i, end) {
                bits = bits &<< 32 | UInt128(ipv4)
                groups += 2
                i = end
                break
            }
            guard groups < 8, let (group, next) = Self.group(text, i) else { return nil }
            bits = bits &<< 16 | UInt128(group)
            groups += 1
            i = next
            guard i < end else { break }
            // A colon, and more after it: of the whole address only `::` may be the end.
            guard text.byte(i) == UInt8(ascii: ":"), i &+ 1 < end else { return nil }
            i &+= 1
            if text.byte(i) == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups
                i &+= 1
            }
        }
        guard let gap else { return groups == 8 ? bits : nil }
        guard groups <= 7 else { return nil }
        let tail = 16 * (groups - gap)
        let head = gap == 0 ? 0 : (bits >> UInt128(tail)) << UInt128(16 * (8 - gap))
        return head | (tail == 0 ? 0 : bits & (UInt128.max >> UInt128(128 - tail)))
    }

    /// One to four hexadecimal digits from `start`, and where they end.
    private static func group(_ text: RawSpan, _ start: Int) -> (UInt16, Int)? {
        var value: UInt16 = 0
        var i = start
        while i < text.byteCount, isHexDigit(text.byte(i)) {
            guard i &- start < 4 else { return nil }
            let byte = text.byte(i)
            let digit = isDigit(byte) ? byte &- UInt8(ascii: "0") : (byte | 0x20) &- UInt8(ascii: "a") &+ 10
            value = value &<< 4 | UInt16(digit)
            i &+= 1
        }
        return i > start ? (value, i) : nil
    }

    // MARK: - Writing

    /// The address as text: dotted decimal, or IPv6 as RFC 5952 section 4 wants it. Allocates: once a connection, not on
    /// the path of a request.
    public var text: [UInt8] {
        if self.isIPv4 {
            let parts = stride(from: 24, through: 0, by: -8).map { String(UInt8(truncatingIfNeeded: self.bits >> $0)) }
            return Array(parts.joined(separator: ".").utf8)
        }
        let groups = stride(from: 112, through: 0, by: -16).map { UInt16(truncatingIfNeeded: self.bits >> $0) }
        let gap = Self.longestZeros(groups)
        let head = groups[..<gap.lowerBound].map { String($0, radix: 16) }.joined(separator: ":")
        guard !gap.isEmpty else { return Array(head.utf8) }
        let tail = groups[gap.upperBound...].map { String($0, radix: 16) }.joined(separator: ":")
        return Array("\(head)::\(tail)".utf8)
    }

    /// The first of the longest runs of two or more zeros; empty, at the end, if there is none.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = groups.count..<groups.count
        var start = 0
        for i in 0...groups.count where i == groups.count || groups[i] != 0 {
            if i - start >= 2, i - start > longest.count { longest = start..<i }
            start = i + 1
        }
        return longest
    }
}

/// A network: all addresses that begin with the same bits (RFC 4632 section 3.1, RFC 4291 section 2.3).
public struct Network: Equatable, Sendable {
    private let first: NetworkAddress
    private let mask: UInt128
    private let isIPv4: Bool

    /// Reads `address/bits`; nil if it is something else, or if a bit is set after those.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")),
            let first = NetworkAddress(bytes.span.bytes.extracting(0..<slash)),
            let written = decimal(bytes.span.bytes, ByteRange(slash + 1, bytes.count))
        else { return nil }
        // What is written in dotted decimal counts its bits from where IPv4 begins.
        let isDotted = !bytes[..<slash].contains(UInt8(ascii: ":"))
        guard written <= (isDotted ? 32 : 128) else { return nil }
        let prefix = UInt128(written) + (isDotted ? 96 : 0)
        let mask = prefix == 0 ? 0 : UInt128.max << (128 - prefix)
        guard first.bits & ~mask == 0 else { return nil }
        self.first = first
        self.mask = mask
        self.isIPv4 = prefix >= 96 && first.isIPv4
    }

    /// Whether the address is in the network. IPv4 addresses are in IPv4 networks alone: `::/0` is all of IPv6.
    func contains(_ address: NetworkAddress) -> Bool {
        address.bits & self.mask == self.first.bits && address.isIPv4 == self.isIPv4
    }

    /// Whether every address of its family is in it.
    var isEverything: Bool { self.mask == (self.isIPv4 ? UInt128.max << 32 : 0) }
}
