import Testing

@testable import PosternCore

@Suite struct ProxyHeaderTests {
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// A header of version 2.
    static func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return Self.signature + [command, family, UInt8(length >> 8), UInt8(truncatingIfNeeded: length)] + rest
    }

    private static func source(_ text: String) throws -> ProxyHeader.Source {
        .address(try #require(NetworkAddress(text: text)))
    }

    private static let ipv4: [UInt8] = [203, 0, 113, 9, 10, 0, 0, 1, 0x12, 0x34, 0x01, 0xBB]
    private static let ipv6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        + [UInt8](repeating: 0xFD, count: 16) + [0x12, 0x34, 0x01, 0xBB]

    /// A header with a checksum (section 2.2.3) between two other values. That was computed elsewhere, by the table of RFC 3720.
    private static let checked = binary(0x21, 0x11, ipv4 + [4, 0, 1, 9, 3, 0, 4, 0x31, 0x11, 0xD8, 0xF9, 4, 0, 0])

    /// Well-formed headers with what they say: the text of an address, `peer` or `socket`.
    static let good: [(header: [UInt8], source: String)] = [
        (Array("PROXY TCP4 203.0.113.9 10.0.0.1 4660 443\r\n".utf8), "203.0.113.9"),
        (Array("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n".utf8), "255.255.255.255"),
        (Array("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n".utf8), "0.0.0.0"),
        (Array("PROXY TCP6 2001:DB8::1 fd00::1 4660 443\r\n".utf8), "2001:db8::1"),
        (Array("PROXY TCP6 ::ffff:203.0.113.9 ::1 1 2\r\n".utf8), "203.0.113.9"),
        (Array("PROXY UNKNOWN\r\n".utf8), "peer"),
        (Array("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n".utf8), "peer"),
        (binary(0x21, 0x11, ipv4), "203.0.113.9"), (binary(0x21, 0x21, ipv6), "2001:db8::1"),
        (binary(0x21, 0x11, ipv4 + [0x04, 0, 3, 1, 2, 3, 0x20, 0, 0]), "203.0.113.9"),
        (binary(0x21, 0x21, ipv6 + [0xFF, 0x03, 0xE8] + [UInt8](repeating: 0xFF, count: 1000)), "2001:db8::1"),
        (checked, "203.0.113.9"), (binary(0x20, 0x11, ipv4 + [3, 0, 4, 1, 2, 3, 4]), "peer"),
        (binary(0x21, 0x31, [UInt8](repeating: 0x2F, count: 216)), "socket"),
        (binary(0x20, 0x00, []), "peer"), (binary(0x20, 0x11, ipv4), "peer"), (binary(0x20, 0xFF, [1, 2, 3]), "peer"),
        (binary(0x21, 0x00, []), "peer"), (binary(0x21, 0x00, [1, 2, 3]), "peer"),
        (binary(0x21, 0x11, ipv4 + [UInt8](repeating: 0, count: ProxyHeader.limit - 28)), "203.0.113.9"),
    ]

    @Test("a header is known when its last byte is there, wherever it is cut and whatever follows", arguments: good)
    func every(_ row: (header: [UInt8], source: String)) throws {
        let source: ProxyHeader.Source =
            switch row.source {
            case "peer": .peer
            case "socket": .socket
            default: try Self.source(row.source)
            }
        for cut in 0..<row.header.count {
            #expect(ProxyHeader.read(row.header.span.bytes.extracting(0..<cut)) == .incomplete, "\(cut)")
        }
        for rest in ["", "\r\n", "GET / HTTP/1.1\r\n", "PROXY UNKNOWN\r\n", String(repeating: "x", count: 200)] {
            let bytes = row.header + Array(rest.utf8)
            #expect(ProxyHeader.read(bytes.span.bytes) == .complete(source, length: row.header.count))
        }
    }

    @Test(
        "a line that is not exactly as it should be is none",
        arguments: [
            "GET / HTTP/1.1\r\n", "PROXY\r\n", "PROXY \r\n", "PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
            "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
            "PROXY tcp4 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
            "PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n",
            "PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2 1 2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 -2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.1.1.1 ::1 1 2\r\n", "PROXY TCP6 ::1 2.2.2.2 1 2\r\n",
            "PROXY TCP6 [::1] ::1 1 2\r\n", "PROXY TCP6 fe80::1%1 ::1 1 2\r\n", "PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
            "PROXY UNKNOWNX\r\n", "PROXY TCP4 1.1.1.1\t2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\rx", "PROXY UNKNOWN \u{e9}\r\n",
            "PROXY UNKNOWN " + String(repeating: "x", count: 92) + "\r\n",
            "PROXY UNKNOWN " + String(repeating: "x", count: 500),
            "\r\nPROXY UNKNOWN\r\n", " PROXY UNKNOWN\r\n",
        ])
    func malformedText(_ text: String) {
        Self.expectMalformed(Array(text.utf8))
    }

    @Test("the longest line is 107 bytes")
    func longestLine() {
        let line = Array(("PROXY UNKNOWN " + String(repeating: "x", count: 91) + "\r\n").utf8)
        #expect(line.count == 107)
        #expect(ProxyHeader.read(line.span.bytes) == .complete(.peer, length: 107))
    }

    private static let bad: [[UInt8]] = [
        binary(0x11, 0x11, ipv4), binary(0x31, 0x11, ipv4), binary(0x22, 0x11, ipv4), binary(0x2F, 0x11, ipv4),
        binary(0x21, 0x12, ipv4), binary(0x21, 0x10, ipv4), binary(0x21, 0x13, ipv4), binary(0x21, 0x22, ipv6),
        binary(0x21, 0x32, [UInt8](repeating: 0, count: 216)), binary(0x21, 0x41, ipv4), binary(0x21, 0x01, ipv4),
        binary(0x21, 0x11, Array(ipv4.dropLast())), binary(0x21, 0x21, ipv4), binary(0x21, 0x31, ipv6),
        binary(0x21, 0x11, [], length: 0), binary(0x21, 0x11, ipv4, length: 4081),
        binary(0x20, 0x00, [], length: 65_535),
        // Values that run over the end, or are cut off in type or length.
        binary(0x21, 0x11, ipv4 + [4, 0, 1]), binary(0x21, 0x11, ipv4 + [4]), binary(0x21, 0x11, ipv4 + [4, 0]),
        binary(0x21, 0x11, ipv4 + [4, 0, 2, 1]), binary(0x21, 0x21, ipv6 + [0xFF, 0xFF, 0xFF, 0xFF]),
        // A checksum of another length, twice, or of other bytes.
        binary(0x21, 0x11, ipv4 + [3, 0, 3, 0, 0, 0]), binary(0x21, 0x11, ipv4 + [3, 0, 0]),
        binary(0x21, 0x11, ipv4 + [3, 0, 4, 0, 0, 0, 0]),
        [0x0D, 0x0A, 0x0D, 0x0A, 0x0D, 0x0A], Array(signature.dropFirst()), [0], [0xFF],
        [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00],
    ]

    @Test("a binary header of another version, command, family or length is none", arguments: bad)
    func malformedBinary(_ bytes: [UInt8]) {
        Self.expectMalformed(bytes)
    }

    @Test("a header with a checksum is none if any bit of it changed")
    func everyBitIsChecked() {
        #expect(
            ProxyHeader.read(Self.checked.span.bytes)
                == .complete(.address(NetworkAddress(ipv4: 0xCB00_7109)), length: 42))
        // The addresses, then the values: of what comes before, a change makes it a header of another kind.
        for i in 16..<Self.checked.count {
            for bit in 0..<8 {
                var changed = Self.checked
                changed[i] ^= 1 << UInt8(bit)
                #expect(ProxyHeader.read(changed.span.bytes) == .malformed || changed[32] != 3, "\(i), \(bit)")
            }
        }
    }

    @Test(
        "the checksum is that of RFC 3720",
        arguments: [
            (Array("123456789".utf8), 0xE306_9283), ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), ([UInt8](0..<32), 0x46DD_794E), ([], 0),
        ] as [([UInt8], UInt32)])
    func checksum(_ row: ([UInt8], UInt32)) {
        var checksum = CRC32C()
        for byte in row.0 { checksum.add(byte) }
        #expect(checksum.value == row.1)
    }

    /// Malformed, and at the first cut that shows it every longer one says the same.
    private static func expectMalformed(_ bytes: [UInt8]) {
        var wasMalformed = false
        for cut in 0...bytes.count {
            switch ProxyHeader.read(bytes.span.bytes.extracting(0..<cut)) {
            case .incomplete: #expect(!wasMalformed)
            case .complete: Issue.record("complete at \(cut)")
            case .malformed: wasMalformed = true
            }
        }
        #expect(wasMalformed)
    }

    @Test("a header with one byte changed is never longer than it may be, and prefixes never disagree")
    func mutated() {
        var generator = SystemRandomNumberGenerator()
        for row in Self.good {
            for _ in 0..<40 {
                var bytes = row.header + Array("GET / HTTP/1.1\r\n\r\n".utf8)
                bytes[Int.random(in: 0..<min(row.header.count, 64), using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
                let whole = ProxyHeader.read(bytes.span.bytes)
                for cut in 0...bytes.count {
                    let part = ProxyHeader.read(bytes.span.bytes.extracting(0..<cut))
                    #expect(part == .incomplete || part == whole)
                }
                if case .complete(_, let length) = whole { #expect(length <= min(bytes.count, ProxyHeader.limit)) }
            }
        }
    }
}
