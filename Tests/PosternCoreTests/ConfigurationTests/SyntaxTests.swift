import Testing

@testable import PosternCore

@Suite struct DurationSyntaxTests {
    @Test(
        arguments: [
            ("500ms", 500_000_000), ("30s", 30_000_000_000), ("5m", 300_000_000_000), ("1h", 3_600_000_000_000),
            ("0s", 0), ("007s", 7_000_000_000),
        ] as [(String, Int64)])
    func durationIsRead(text: String, nanoseconds: Int64) {
        #expect(Nanoseconds.parse(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "s", "30", "1.5s", "-1s", "+1s", "1 s", "1d", "1S", "1sec", "１s", "1s ", "9223372036854775807h",
        "99999999999999999999s", "3000000h",
    ])
    func durationIsRefused(text: String) {
        #expect(Nanoseconds.parse(text) == nil)
    }

    @Test(
        arguments: [
            (0, "0s"), (1_000_000, "1ms"), (1_500_000_000, "1500ms"), (90_000_000_000, "90s"),
            (3_600_000_000_000, "1h"),
            (1, "1ns"),
        ] as [(Int64, String)])
    func durationIsWrittenInItsLargestExactUnit(nanoseconds: Int64, text: String) {
        #expect(Nanoseconds.text(nanoseconds) == text)
    }
}

@Suite struct SizeSyntaxTests {
    @Test(arguments: [("0B", 0), ("512B", 512), ("32KiB", 32_768), ("10MiB", 10_485_760), ("2GiB", 2_147_483_648)])
    func sizeIsRead(text: String, bytes: Int) {
        #expect(ByteSize.parse(text) == bytes)
        #expect(ByteSize.parse(ByteSize.text(bytes)) == bytes)
    }

    @Test(arguments: ["", "B", "1", "1KB", "1kib", "1.5KiB", "-1B", "1 KiB", "9223372036854775807KiB", "1TiB"])
    func sizeIsRefused(text: String) {
        #expect(ByteSize.parse(text) == nil)
    }
}

@Suite struct IPAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1", [127, 0, 0, 1]), ("0.0.0.0", [0, 0, 0, 0]),
            ("::", [UInt8](repeating: 0, count: 16)), ("::1", [UInt8](repeating: 0, count: 15) + [1]),
            ("fd00::1:2", [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2]),
            ("1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
            ("::ffff:1.2.3.4", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 2, 3, 4]),
            ("1::", [0, 1] + [UInt8](repeating: 0, count: 14)),
        ] as [(String, [UInt8])])
    func addressIsRead(text: String, bytes: [UInt8]) {
        #expect(IPAddress(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", "1.2.3.+4", ":", ":::", "1::2::3", "12345::",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "g::", "+1::", "::1.2.3", "1.2.3.4::", "::1%eth0",
    ])
    func addressIsRefused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.1", true), ("172.16.0.1", true), ("172.32.0.1", false), ("192.168.1.1", true), ("127.1.2.3", true),
        ("169.254.0.1", true), ("8.8.8.8", false), ("::1", true), ("fd12::1", true), ("fe80::1", true),
        ("2001:db8::1", false),
    ])
    func privateAddressIsKnown(text: String, isPrivate: Bool) {
        #expect(IPAddress(text)?.isPrivate == isPrivate)
    }

    @Test(arguments: [
        ("10.0.0.0/8", true), ("0.0.0.0/0", true), ("10.0.0.1/32", true), ("10.0.0.1/8", false), ("10.0.0.0/33", false),
        ("10.0.0.0", false), ("10.0.0.0/", false), ("10.0.0.0/+8", false), ("fd00::/8", true), ("fd00::/129", false),
        ("::/0", true), ("::1/64", false), ("10.0.0.0/8/8", false), ("10.0.0.0/99999999999999999999", false),
        ("10.0.0.0/08", false), ("::ffff:10.0.0.0/104", true), ("::ffff:0:0/96", true), ("unix", false),
    ])
    func networkIsChecked(text: String, isNetwork: Bool) {
        #expect((Network(text) != nil) == isNetwork)
    }
}

@Suite struct AddressSyntaxTests {
    @Test(arguments: [
        ("0.0.0.0:8080", Address.host("0.0.0.0", port: 8080)), ("[::]:8080", .host("::", port: 8080)),
        ("[fd00::1]:1", .host("fd00::1", port: 1)), ("localhost:0", .host("localhost", port: 0)),
        ("my_host.svc-1:65535", .host("my_host.svc-1", port: 65_535)),
        ("unix:/run/p.sock", .unix(path: "/run/p.sock")),
    ])
    func addressIsRead(text: String, address: Address) throws {
        #expect(try Address.parse(text, for: .listening) == address)
        #expect(address.description == text)
    }

    @Test(arguments: [
        ("8080", "the host is missing"), (":8080", "the host is missing"), ("host", "the port is missing"),
        ("host:", "the port must be a number"), ("host:65536", "the port must be a number"),
        ("host:+1", "the port must be a number"), ("host:-1", "the port must be a number"),
        ("host:99999999999", "the port must be a number"), ("::1:80", "wants brackets: \"[::1]:80\""),
        ("[1.2.3.4]:80", "is not an IPv6 address"), ("[::1:80", "wants brackets"), ("a b:80", "is neither a host name"),
        ("-a:80", "is neither a host name"), ("a..b:80", "is neither a host name"), ("1.2.3:80", "is neither"),
        ("http://a:80", "wants brackets"), ("unix:run", "an absolute path"), ("unix:/", "an absolute path"),
        ("unix:", "an absolute path"), ("unix:/" + String(repeating: "a", count: 107), "at most 107 bytes"),
        ("", "the port is missing"), ("é:80", "is neither a host name"),
    ])
    func addressIsRefusedWithTheFix(text: String, message: String) {
        #expect { try Address.parse(text, for: .listening) } throws: { error in
            (error as? SyntaxProblem)?.message.contains(message) == true
        }
    }

    @Test func portZeroIsForListeningOnly() {
        #expect(throws: SyntaxProblem.self) { try Address.parse("a:0", for: .connecting) }
    }

    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1:80", true), ("127.0.0.1:80", "127.0.0.1:81", false),
        ("0.0.0.0:80", "127.0.0.1:80", true), ("[::]:80", "10.0.0.1:80", true), ("localhost:80", "127.0.0.1:80", true),
        ("10.0.0.1:80", "10.0.0.2:80", false), ("127.0.0.1:0", "127.0.0.1:0", false),
        ("unix:/a", "unix:/a", true), ("unix:/a", "unix:/b", false), ("unix:/a", "127.0.0.1:80", false),
    ])
    func collisionIsSeen(left: String, right: String, collides: Bool) throws {
        let left = try Address.parse(left, for: .listening)
        let right = try Address.parse(right, for: .listening)
        #expect(left.collides(with: right) == collides)
        #expect(right.collides(with: left) == collides)
    }
}

@Suite struct URLReferenceTests {
    @Test func partsAreRead() throws {
        let url = try URLReference("HTTPS://user:p%40ss@[::1]:8443/a/b?c=d#e")
        #expect(url.scheme == "https")
        #expect(url.userinfo == "user:p%40ss")
        #expect(url.host == "::1")
        #expect(url.port == 8443)
        #expect(url.rest == "/a/b?c=d#e")
    }

    @Test(arguments: [
        ("https://user:secret@host:1/p?key=secret", "https://[redacted]@host:1/p?[redacted]"),
        ("http://host", "http://host"), ("http://host?x=secret", "http://host?[redacted]"),
        ("http://[::1]:80/p#secret", "http://[::1]:80/p?[redacted]"),
    ])
    func secretsOfAURLAreHidden(text: String, shown: String) throws {
        #expect(try URLReference(text).redacted == shown)
    }

    @Test(arguments: [
        "", "host", "//host", "http:/host", "http://", "http:///p", "http://:80", "http://a b/", "http://a/b c",
        "http://a:0", "http://a:65536", "http://a:x", "http://[::1", "http://[::1]x", "http://[x]", "http://é/",
        "ht tp://a", "http://a:", "http://u@",
    ])
    func urlIsRefused(text: String) {
        #expect(throws: SyntaxProblem.self) { try URLReference(text) }
    }

    @Test(arguments: [
        ("http://localhost/", true), ("http://issuer:8000/", true), ("http://a.svc/", true), ("http://10.1.1.1/", true),
        ("http://[fd00::1]/", true), ("http://example.com/", false), ("http://8.8.8.8/", false),
        ("http://a.localhost/", true),
    ])
    func privateHostIsKnown(text: String, isPrivate: Bool) throws {
        #expect(try URLReference(text).isPrivateHost == isPrivate)
    }
}

@Suite struct ReferenceTests {
    private func replace(_ text: String) -> (text: String, problems: [String]) {
        Reference.replace(in: text) { ["A": "1", "EMPTY": "", "NEST": "${A}"][$0] }
    }

    @Test(arguments: [
        ("plain", "plain"), ("${A}", "1"), ("x${A}y${A}", "x1y1"), ("${NOPE:-d}", "d"), ("${A:-d}", "1"),
        ("${EMPTY}", ""), ("${EMPTY:-d}", "d"), ("${NOPE:-}", ""), ("$${A}", "${A}"), ("$$${A}", "$${A}"),
        ("$A $ $$", "$A $ $$"), ("${NOPE:-http://h:1/}", "http://h:1/"), ("${NEST}", "${A}"),
        ("é${A}\u{301}", "é1\u{301}"),
    ])
    func referenceIsReplaced(text: String, result: String) {
        let (replaced, problems) = self.replace(text)
        #expect(replaced.utf8.elementsEqual(result.utf8))
        #expect(problems.isEmpty)
    }

    @Test(arguments: [
        ("${NOPE}", "the environment variable NOPE is not set; set it or write \"${NOPE:-default}\""),
        ("${A", "\"${\" is not closed; a literal \"${\" is written \"$${\""),
        ("${}", "\"${}\" is not a reference: write ${NAME} or ${NAME:-default}"),
        ("${1A}", "\"${1A}\" is not a reference: write ${NAME} or ${NAME:-default}"),
        ("${A-x}", "\"${A-x}\" is not a reference: write ${NAME} or ${NAME:-default}"),
        ("${A:-${B}}", "the default of ${A} cannot hold another reference"),
    ])
    func referenceIsRefused(text: String, problem: String) {
        #expect(self.replace(text).problems == [problem])
    }

    @Test func everyProblemOfATextIsReported() {
        #expect(self.replace("${X}${Y}").problems.count == 2)
    }
}

@Suite struct NearMissTests {
    @Test(arguments: [
        ("upstraem", "upstream"), ("Upstream", "upstream"), ("upstrem", "upstream"), ("body-idle", "body_idle"),
        ("scope", "scopes"), ("warn", "warning"), ("rea1m", "realm"),
    ])
    func nearestNameIsFound(text: String, name: String) {
        let names = ["upstream", "body_idle", "scopes", "warning", "realm", "log"]
        #expect(NearMiss.suggestion(for: text, among: names) == name)
    }

    @Test(arguments: ["", "x", "completely", "lo", String(repeating: "a", count: 5000)])
    func farNameIsNotSuggested(text: String) {
        #expect(NearMiss.suggestion(for: text, among: ["upstream", "scopes"]) == nil)
    }
}
