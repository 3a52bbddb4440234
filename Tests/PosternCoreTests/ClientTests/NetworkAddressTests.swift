import Testing

@testable import PosternCore

extension NetworkAddress {
    init?(text: String) {
        self.init(bytes: Array(text.utf8))
    }

    init?(bytes: [UInt8]) {
        guard let address = NetworkAddress(bytes.span.bytes) else { return nil }
        self = address
    }
}

@Suite struct NetworkAddressTests {
    @Test(
        "an address is written as RFC 5952 wants it, however it was read",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
            ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"), ("2001:0db8:0:0:0:0:0:1", "2001:db8::1"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
            ("1:0:0:2:0:0:3:4", "1::2:0:0:3:4"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:C000:0201", "192.0.2.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("::1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"),
        ])
    func text(_ row: (String, String)) throws {
        let address = try #require(NetworkAddress(text: row.0))
        #expect(String(decoding: address.text, as: UTF8.self) == row.1)
        #expect(NetworkAddress(bytes: address.text) == address)
    }

    @Test(
        "anything else is no address",
        arguments: [
            "", " ", "unknown", "_hidden", "localhost", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1.2.3.4.5", "1..2.3",
            "256.1.1.1",
            "01.2.3.4", "1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "1.2.3.+4", "0x1.2.3.4", "1.2.3.4:80", "[::1]", "::1%eth0",
            ":", ":::", "1:", ":1", "1::2::3", "::1::", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8:",
            "1:2:3:4::5:6:7:8", "g::", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6:7:8:1.2.3.4",
            "1:2:3:4:5::6:1.2.3.4:5", "::1.2.3.4:5", "::1.2.3.4.5",
            "00000000000000000000000000000000000000000000000::1",
        ])
    func refused(_ text: String) {
        #expect(NetworkAddress(text: text) == nil)
    }

    @Test("every address of random bits is read back from its text")
    func roundTrip() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            // Few groups that are not zero, so that there are gaps of all lengths in all places.
            var bits: UInt128 = 0
            for group in 0..<8 where Bool.random(using: &generator) {
                bits |= UInt128(UInt16.random(in: 0...UInt16.max, using: &generator)) << UInt128(16 * group)
            }
            let address = NetworkAddress(bits: bits)
            let text = address.text
            #expect(NetworkAddress(bytes: text) == address, "\(String(decoding: text, as: UTF8.self))")
            let ipv4 = NetworkAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &generator))
            #expect(NetworkAddress(bytes: ipv4.text) == ipv4)
        }
    }

    @Test(
        "an address is in a network if it begins with its bits, and is of its family",
        arguments: [
            ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
            ("::/0", "10.0.0.1", false), ("::/0", "::ffff:10.0.0.1", false), ("::ffff:0:0/96", "10.0.0.1", true),
            ("::ffff:10.0.0.0/104", "10.9.9.9", true), ("::ffff:10.0.0.0/104", "11.9.9.9", false),
            ("192.0.2.1/32", "192.0.2.1", true), ("192.0.2.1/32", "192.0.2.2", false),
            ("192.0.2.128/25", "192.0.2.127", false),
            ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false), ("2001:db8::1/128", "2001:db8::1", true),
            ("2001:db8::1/128", "2001:db8::2", false), ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false),
        ])
    func network(_ row: (String, String, Bool)) throws {
        let network = try #require(Network(row.0))
        #expect(network.contains(try #require(NetworkAddress(text: row.1))) == row.2)
    }

    @Test(
        "all of a family is known as that",
        arguments: [
            ("0.0.0.0/0", true), ("::/0", true), ("0.0.0.0/1", false), ("::/1", false), ("::ffff:0:0/96", true),
        ])
    func everything(_ row: (String, Bool)) {
        #expect(Network(row.0)?.isEverything == row.1)
    }
}
