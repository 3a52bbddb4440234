import Testing

@testable import PosternIssuer

@Suite struct AddressBlockTests {
    @Test(
        "A well-formed block is read",
        arguments: [
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.1", "0.0.0.0/0", "10.1.2.3/32", "::1", "::/0",
            "fd00::/8", "2001:db8::/32", "2001:db8::1/128", "10.128.0.0/9",
        ])
    func reads(_ text: String) {
        #expect(AddressBlock(text)?.description == text)
    }

    @Test(
        "A malformed block is refused",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8/8",
            "10.0.0.1/8", "10.0.0/8", "010.0.0.0/8", "256.0.0.0/8", "10.0.0.0 /8", "::/129", "2001:db8::1/32", "host",
            "fe80::1%lo/128", "10.0.0.0/99999999999999999999", "::ffff:10.0.0.0/104", "1.2.3.4.5",
        ])
    func refuses(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test(
        "An address is inside or outside a block",
        arguments: [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("172.16.0.0/12", "172.31.255.255", true),
            ("172.16.0.0/12", "172.32.0.0", false),
            ("172.16.0.0/12", "172.15.255.255", false),
            ("192.168.0.0/16", "192.169.0.1", false),
            ("10.128.0.0/9", "10.127.255.255", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "203.0.113.9", false),
            ("::1", "::1", true),
            ("::1", "::2", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "::ffff:11.1.2.3", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
        ])
    func contains(_ block: String, _ address: String, _ inside: Bool) throws {
        #expect(try #require(AddressBlock(block)).contains(try #require(Address(address))) == inside)
    }

    @Test(
        "A list is read whole or not at all",
        arguments: [
            ("", 0), ("  ", 0), ("10.0.0.0/8", 1), ("10.0.0.0/8, ::1 ,192.168.0.0/16", 3), ("10.0.0.0/8,", nil),
            (",", nil), ("10.0.0.0/8 ::1", nil), ("10.0.0.0/8,nonsense", nil),
        ])
    func list(_ text: String, _ count: Int?) {
        #expect(AddressBlock.list(text)?.count == count)
    }
}
