/// The header that a load balancer sends before anything else on a connection that it passes on: whom the connection is from
/// (the PROXY protocol of HAProxy, versions 1 and 2). Read strictly; nothing of it is kept but the source's address. Of what
/// version 2 may say beside addresses only the checksum is looked at.
public enum ProxyHeader {
    /// Who the client of the connection is.
    public enum Source: Equatable, Sendable {
        case address(NetworkAddress)
        /// A client without an address: of a unix socket.
        case socket
        /// The sender itself: it checks whether somebody is there (LOCAL), or does not know (UNKNOWN). The peer's own
        /// address counts.
        case peer
    }

    /// What stands at the beginning of some bytes.
    public enum Reading: Equatable, Sendable {
        /// All of them can be the beginning of a header.
        case incomplete
        /// A header of `length` bytes.
        case complete(Source, length: Int)
        /// No header, or not a well-formed one. More bytes would not change that.
        case malformed
    }

    /// Bytes of the longest header that is accepted. Version 1 has 107 at most; version 2 could have 64 KiB, of which
    /// addresses are 52 (216 with paths of sockets) and the rest is what this proxy skips.
    public static let limit = 4096

    /// Reads the header that `bytes` begin with. Allocates nothing.
    public static func read(_ bytes: RawSpan) -> Reading {
        guard bytes.byteCount > 0 else { return .incomplete }
        return bytes.byte(0) == UInt8(ascii: "P") ? Self.readText(bytes) : Self.readBinary(bytes)
    }

    /// Whether `bytes` begin like `expected`, as far as they go.
    private static func agree(_ bytes: RawSpan, _ expected: StaticString) -> Bool {
        expected.withUTF8Buffer { expected in
            for i in 0..<min(bytes.byteCount, expected.count) where bytes.byte(i) != expected[i] { return false }
            return true
        }
    }

    // MARK: - Version 1

    /// `PROXY TCP4 192.0.2.1 192.0.2.2 4321 443` and CRLF; a single space between two parts.
    private static func readText(_ bytes: RawSpan) -> Reading {
        guard Self.agree(bytes, "PROXY ") else { return .malformed }
        let end = min(bytes.byteCount, Self.textLimit)
        var i = 0
        while i < end, bytes.byte(i) != UInt8(ascii: "\r") {
            guard (0x20...0x7E).contains(bytes.byte(i)) else { return .malformed }
            i &+= 1
        }
        if i == end { return end == Self.textLimit ? .malformed : .incomplete }
        guard i &+ 1 < bytes.byteCount else { return i &+ 1 < Self.textLimit ? .incomplete : .malformed }
        guard i &+ 2 <= Self.textLimit, bytes.byte(i &+ 1) == UInt8(ascii: "\n") else { return .malformed }
        guard let source = Self.source(bytes.extracting(0..<i)) else { return .malformed }
        return .complete(source, length: i &+ 2)
    }

    /// Bytes of the longest line of version 1, with its CRLF.
    private static let textLimit = 107

    /// The source that a line (without CRLF) names.
    private static func source(_ line: RawSpan) -> Source? {
        var words = WordFinder(from: "PROXY ".utf8.count, to: line.byteCount)
        let family = line.slice(words.next(line))
        // What follows UNKNOWN is not looked at.
        if family.equals("UNKNOWN") { return .peer }
        let isIPv4 = family.equals("TCP4")
        guard isIPv4 || family.equals("TCP6") else { return nil }
        let source = line.slice(words.next(line))
        let destination = line.slice(words.next(line))
        let sourcePort = line.slice(words.next(line))
        let destinationPort = line.slice(words.next(line))
        guard words.isAtEnd, Self.hasColon(source) != isIPv4, Self.hasColon(destination) != isIPv4,
            let address = NetworkAddress(source), NetworkAddress(destination) != nil, Self.isPort(sourcePort),
            Self.isPort(destinationPort)
        else { return nil }
        return .address(address)
    }

    private static func hasColon(_ text: RawSpan) -> Bool {
        for i in 0..<text.byteCount where text.byte(i) == UInt8(ascii: ":") { return true }
        return false
    }

    private static func isPort(_ text: RawSpan) -> Bool {
        guard let port = decimal(text, ByteRange(0, text.byteCount)) else { return false }
        return port <= 65_535
    }

    // MARK: - Version 2

    /// Twelve bytes that no other protocol begins with, one of version and command, one of family and transport, two of the
    /// length of what follows: addresses, then whatever else the sender has to say.
    private static func readBinary(_ bytes: RawSpan) -> Reading {
        let count = bytes.byteCount
        for i in 0..<min(count, 12) where bytes.byte(i) != Self.signature(i) { return .malformed }
        guard count > 12 else { return .incomplete }
        guard bytes.byte(12) == 0x20 || bytes.byte(12) == 0x21 else { return .malformed }
        guard count > 13 else { return .incomplete }
        // Of a LOCAL header nothing is looked at but its length.
        let isLocal = bytes.byte(12) == 0x20
        guard let addresses = isLocal ? 0 : Self.addressLength(bytes.byte(13)) else { return .malformed }
        guard count > 14 else { return .incomplete }
        // With the length's first byte alone a header that is too long can be known already.
        guard Int(bytes.byte(14)) &<< 8 &+ 16 <= Self.limit else { return .malformed }
        guard count > 15 else { return .incomplete }
        let length = 16 &+ Int(bytes.byte(14)) &<< 8 &+ Int(bytes.byte(15))
        guard length <= Self.limit, length >= 16 &+ addresses else { return .malformed }
        guard count >= length else { return .incomplete }
        // Without addresses it is not said where more would begin.
        guard addresses == 0 || Self.isIntact(bytes.extracting(0..<length), from: 16 &+ addresses) else {
            return .malformed
        }
        return .complete(isLocal ? .peer : Self.source(bytes, family: bytes.byte(13)), length: length)
    }

    /// Whether what follows the addresses is a list of values, each after a byte of type and two of length (section 2.2), and
    /// the checksum, where it is among them, that of the header (section 2.2.3).
    private static func isIntact(_ header: RawSpan, from start: Int) -> Bool {
        var checksum: Int?
        var i = start
        while i < header.byteCount {
            guard i &+ 3 <= header.byteCount else { return false }
            let length = Int(header.byte(i &+ 1)) &<< 8 | Int(header.byte(i &+ 2))
            if header.byte(i) == Self.checksumType {
                guard length == 4, checksum == nil else { return false }
                checksum = i &+ 3
            }
            i &+= 3 &+ length
        }
        guard i == header.byteCount else { return false }
        guard let checksum else { return true }
        var computed = CRC32C()
        // It was computed with zeros in its own place.
        for i in 0..<header.byteCount {
            computed.add((checksum..<(checksum &+ 4)).contains(i) ? 0 : header.byte(i))
        }
        return UInt128(computed.value) == Self.number(header, checksum, 4)
    }

    /// `PP2_TYPE_CRC32C`.
    private static let checksumType: UInt8 = 0x03

    /// A byte of `\r\n\r\n\0\r\nQUIT\n`.
    private static func signature(_ index: Int) -> UInt8 {
        let first: UInt64 = 0x0D0A_0D0A_000D_0A51
        let last: UInt64 = 0x5549_540A
        return UInt8(
            truncatingIfNeeded: index < 8 ? first &>> UInt64(56 &- 8 &* index) : last &>> UInt64(88 &- 8 &* index))
    }

    /// Bytes of both addresses with their ports; nil for a family that does not exist, or a transport that a connection does
    /// not have.
    private static func addressLength(_ family: UInt8) -> Int? {
        switch family {
        case 0x00: 0
        case 0x11: 12
        case 0x21: 36
        case 0x31: 216
        default: nil
        }
    }

    /// The source of a header that is there with its addresses.
    private static func source(_ bytes: RawSpan, family: UInt8) -> Source {
        switch family {
        case 0x11:
            return .address(NetworkAddress(ipv4: UInt32(truncatingIfNeeded: Self.number(bytes, 16, 4))))
        case 0x21:
            return .address(NetworkAddress(bits: Self.number(bytes, 16, 16)))
        case 0x31:
            return .socket
        default:
            return .peer
        }
    }

    /// A number of `count` bytes, the highest first.
    private static func number(_ bytes: RawSpan, _ start: Int, _ count: Int) -> UInt128 {
        var result: UInt128 = 0
        for i in start..<(start &+ count) { result = result &<< 8 | UInt128(bytes.byte(i)) }
        return result
    }
}

/// Finds the words of a line, each after a single space.
private struct WordFinder {
    private var start: Int
    private let end: Int
    /// Whether the last word was found, and nothing follows it.
    private(set) var isAtEnd = false

    init(from start: Int, to end: Int) {
        self.start = start
        self.end = end
    }

    /// The place of the next word; empty if there is none.
    mutating func next(_ line: RawSpan) -> ByteRange {
        let first = min(self.start, self.end)
        var i = first
        while i < self.end, line.byte(i) != UInt8(ascii: " ") { i &+= 1 }
        self.isAtEnd = i == self.end
        self.start = i &+ 1
        return ByteRange(first, i)
    }
}
