import Testing

@testable import PosternIssuer

@Suite struct TrustedProxiesTests {
    private let proxies = TrustedProxies(blocks: AddressBlock.list("10.0.0.0/8,2001:db8:1::/48,::1") ?? [])

    @Test(
        "The list is read from its end, as far as the proxies are trusted",
        arguments: [
            ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", [""], "10.0.0.1"),
            // What a caller has written himself stands left of what the proxy has seen.
            ("10.0.0.1", ["192.0.2.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", ["10.9.9.9, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", ["not an address, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", ["203.0.113.9, 10.0.0.2, 10.0.0.3"], "203.0.113.9"),
            ("10.0.0.1", ["203.0.113.9", "10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", ["192.0.2.1", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", [" 203.0.113.9 ,\t10.0.0.2 ,"], "203.0.113.9"),
            ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", ["2001:db8:2::7"], "2001:db8:2::7"),
            ("10.0.0.1", ["[2001:db8:2::7]"], "2001:db8:2::7"),
            ("10.0.0.1", ["[2001:db8:2::7]:443"], "2001:db8:2::7"),
            ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
            ("2001:db8:1::5", ["203.0.113.9, 2001:db8:1::6"], "203.0.113.9"),
            ("2001:db8:2::5", ["203.0.113.9"], "2001:db8:2::5"),
            ("::1", ["2001:db8:2::7, 10.0.0.1"], "2001:db8:2::7"),
            // Nobody is believed who is not trusted.
            ("203.0.113.1", ["10.0.0.2"], "203.0.113.1"),
            ("203.0.113.1", ["nonsense"], "203.0.113.1"),
            // What a trusted proxy says and nobody can read is no address, and least of all the proxy's own.
            ("10.0.0.1", ["unknown"], nil),
            ("10.0.0.1", ["203.0.113.9, _hidden"], nil),
            ("10.0.0.1", ["203.0.113.9:port"], nil),
            ("10.0.0.1", ["203.0.113.9:123456"], nil),
            ("10.0.0.1", ["[203.0.113.9]"], nil),
            ("10.0.0.1", ["[2001:db8:2::7"], nil),
            ("10.0.0.1", ["2001:db8:2::7]"], nil),
            ("10.0.0.1", ["[2001:db8:2::7]443"], nil),
            ("10.0.0.1", ["203.0.113.9 10.0.0.2"], nil),
            ("10.0.0.1", ["fe80::1%eth0"], nil),
            (nil, ["203.0.113.9"], nil),
        ] as [(String?, [String], String?)])
    func address(_ peer: String?, _ header: [String], _ expected: String?) {
        let found = self.proxies.address(peer: peer.flatMap(Address.init), forwardedFor: header)
        #expect(found?.description == expected)
    }

    @Test("Without trusted proxies the header is nothing")
    func none() {
        let peer = Address("10.0.0.1")
        #expect(TrustedProxies().address(peer: peer, forwardedFor: ["203.0.113.9"]) == peer)
    }
}
