import Testing

@testable import PosternCore

@Suite struct TrustedProxiesTests {
    /// What the tests trust.
    private static let entries = ["10.0.0.0/8", "fd00::/8"]

    /// The client that the X-Forwarded-For lines (and others, written in full) name; nil: the peer.
    private static func client(_ lines: [String], trusting entries: [String] = Self.entries) throws -> String? {
        let trusted = try #require(TrustedProxies(entries))
        let fields = lines.map { $0.contains("|") ? $0.replacing("|", with: ":") : "X-Forwarded-For:\($0)" }
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        let read = try #require(try readRequest(Array(text.utf8)))
        return trusted.client(read.bytes.span.bytes, read.head).map { read.text($0) }
    }

    @Test(
        "the client is the rightmost address that is not trusted",
        arguments: [
            ([], nil), ([""], nil), (["203.0.113.9"], "203.0.113.9"), ([" 203.0.113.9 \t"], "203.0.113.9"),
            (["6.6.6.6, 203.0.113.9"], "203.0.113.9"), (["6.6.6.6, 203.0.113.9, 10.0.0.1"], "203.0.113.9"),
            (["6.6.6.6,203.0.113.9,10.0.0.1,10.0.0.2"], "203.0.113.9"), (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (["203.0.113.9", "10.0.0.1"], "203.0.113.9"), (["10.0.0.1", "203.0.113.9"], "203.0.113.9"),
            (["6.6.6.6", "203.0.113.9, 10.0.0.2", "10.0.0.1"], "203.0.113.9"),
            (["x-forwarded-for| 203.0.113.9", "X-FORWARDED-FOR| 10.0.0.1"], "203.0.113.9"),
            (["X-Forwarded-Host| 6.6.6.6", "Forwarded| for=6.6.6.6"], nil), (["X_Forwarded_For| 6.6.6.6"], nil),
            (["X-Forwarded-Fox| 6.6.6.6", "X-Forwarded-Fo| 6.6.6.6"], nil),
        ] as [([String], String?)])
    func rightmost(_ row: ([String], String?)) throws {
        #expect(try Self.client(row.0) == row.1)
    }

    @Test(
        "every form of an address is read, without brackets and port",
        arguments: [
            ("192.0.2.1:4711", "192.0.2.1"), ("[2001:db8::1]:443", "2001:db8::1"), ("[2001:DB8::1]", "2001:DB8::1"),
            ("2001:db8::1", "2001:db8::1"), ("[fd00::1]:1, [fd00::2]", "fd00::1"),
            ("6.6.6.6, 192.0.2.1:1, 10.0.0.1:2", "192.0.2.1"),
            ("2001:db8::1, [fd00::9]:80", "2001:db8::1"), ("6.6.6.6, ::ffff:10.0.0.1", "6.6.6.6"),
            ("192.0.2.1:65535", "192.0.2.1"),
        ])
    func forms(_ row: (String, String)) throws {
        #expect(try Self.client([row.0]) == row.1)
    }

    @Test(
        "what is no address ends the search, and nothing to the left of it is believed",
        arguments: [
            "unknown", "_hidden", "\"203.0.113.9\"", "for=203.0.113.9", "203.0.113", "203.0.113.9/32", "203.0.113.9:",
            "203.0.113.9:0",
            "203.0.113.9:65536", "203.0.113.9:080", "203.0.113.9:8a", "203.0.113.9:80:80", "[203.0.113.9]",
            "[203.0.113.9]:80", "[2001:db8::1",
            "2001:db8::1]", "[2001:db8::1]x", "[2001:db8::1]:", "[2001:db8::1]:0", "[]", "[]:80", "[[2001:db8::1]]",
            "[2001:db8::1%1]",
            "::1%lo", "203.0.113.9 203.0.113.10", "203.0.113.9;1", "localhost", "-", ":", "::1:", "\u{e9}", "0x7f.1",
            "",
            String(repeating: "1", count: 300),
        ])
    func malformed(_ entry: String) throws {
        #expect(try Self.client(["6.6.6.6, \(entry)"]) == nil)
        #expect(try Self.client(["6.6.6.6, \(entry), 10.0.0.1"]) == "10.0.0.1")
        #expect(try Self.client(["6.6.6.6, \(entry), 203.0.113.7, 10.0.0.1"]) == "203.0.113.7")
        #expect(try Self.client(["6.6.6.6", entry]) == nil)
        #expect(try Self.client(["6.6.6.6", "\(entry),10.0.0.1"]) == "10.0.0.1")
    }

    @Test("a list of thousands is walked to its end")
    func longList() throws {
        let list = "6.6.6.6," + String(repeating: "10.0.0.1,", count: 3000) + "10.0.0.2"
        #expect(try Self.client([list], trusting: Self.entries) == "6.6.6.6")
    }

    @Test("a walk over any text finds an address that stands there, or none")
    func anyText() throws {
        var generator = SystemRandomNumberGenerator()
        let parts = [
            ",", ", ", " ", ":", "::", "[", "]", "]:", "10.0.0.1", "6.6.6.6", "fd00::1", "2001:db8::1", "unknown", "80",
            ".", "%", "\"",
        ]
        for _ in 0..<3000 {
            let lines = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                (0..<Int.random(in: 0...8, using: &generator)).map { _ in parts.randomElement(using: &generator) ?? "" }
                    .joined()
            }
            guard let found = try Self.client(lines) else { continue }
            #expect(NetworkAddress(text: found) != nil, "\(lines)")
            #expect(lines.contains { $0.contains(found) }, "\(lines)")
        }
    }

    @Test(
        "a peer is trusted if it is in a network; one of a unix socket only if that is said",
        arguments: [
            ("10.1.2.3", ["10.0.0.0/8"], true), ("::ffff:10.1.2.3", ["10.0.0.0/8"], true),
            ("11.1.2.3", ["10.0.0.0/8"], false),
            ("fd00::1", ["10.0.0.0/8", "fd00::/8"], true), ("", ["0.0.0.0/0", "::/0"], false), ("", ["unix"], true),
            ("127.0.0.1", ["unix"], false), ("127.0.0.1", [], false), ("nonsense", ["0.0.0.0/0"], false),
        ])
    func peer(_ row: (String, [String], Bool)) throws {
        let trusted = try #require(TrustedProxies(row.1))
        #expect(trusted.trusts(peer: Array(row.0.utf8)) == row.2)
        #expect(trusted.texts == row.1)
        #expect(trusted.isEmpty == row.1.isEmpty)
    }
}
