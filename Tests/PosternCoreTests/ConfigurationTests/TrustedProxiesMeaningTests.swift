import Testing

@testable import PosternCore

/// `trusted_proxies` and `proxy_protocol` together: who may say whom it speaks for.
@Suite struct TrustedProxiesMeaningTests {
    private static func document(_ address: String, trusted: String) -> String {
        "{upstream: unix:/s, default: public, trusted_proxies: \(trusted), listen: "
            + "[{address: \"\(address)\", proxy_protocol: true}]}"
    }

    @Test(
        "a listener that wants a header which nobody may send is refused, with the fix",
        arguments: [
            (
                "127.0.0.1:1", "[]",
                "name the networks that the load balancer connects from, such as trusted_proxies: [10.0.0.0/8]"
            ),
            ("127.0.0.1:1", "[unix]", "name the networks that the load balancer connects from"),
            ("unix:/p", "[]", "add unix to trusted_proxies (trusted_proxies: [unix])"),
            ("unix:/p", "[10.0.0.0/8]", "add unix to trusted_proxies (trusted_proxies: [unix])"),
        ])
    func nobody(_ row: (String, String, String)) {
        let problems = World.problems(Self.document(row.0, trusted: row.1))
        #expect(problems.count == 1)
        #expect(problems.first?.contains("error: listen[0].proxy_protocol: nobody may send the header") == true)
        #expect(problems.first?.contains(row.2) == true)
    }

    @Test(
        "a listener that somebody may send a header to is taken",
        arguments: [("127.0.0.1:1", "[10.0.0.0/8]"), ("[::]:1", "[\"fd00::/8\", unix]"), ("unix:/p", "[unix]")])
    func somebody(_ row: (String, String)) throws {
        let configuration = try World.configuration(Self.document(row.0, trusted: row.1))
        #expect(configuration.listen.map(\.proxyProtocol) == [true])
        #expect(!configuration.trustedProxies.isEmpty)
        let policy = try JSONReader.parse(Array(configuration.effectivePolicy().utf8).span.bytes)
        let listener = JSONValue.members([("address", .string(row.0)), ("proxy_protocol", .bool(true))])
        #expect(policy["listen"] == .array([listener]))
        #expect(policy["trusted_proxies"] == .strings(configuration.trustedProxies.texts))
    }

    @Test("a list with an entry that is wrong is one problem, not two")
    func wrongEntry() {
        let problems = World.problems(Self.document("127.0.0.1:1", trusted: "[10.0.0.1/8]"))
        #expect(problems.count == 1)
        #expect(problems.first?.contains("error: trusted_proxies[0]: must be a network such as") == true)
    }

    @Test("to trust everybody is a warning", arguments: ["0.0.0.0/0", "\"::/0\"", "\"::ffff:0:0/96\""])
    func everybody(_ network: String) {
        let problems = World.problems("{upstream: unix:/s, default: public, trusted_proxies: [10.0.0.0/8, \(network)]}")
        #expect(problems.count == 1)
        #expect(problems.first?.contains("warning: trusted_proxies[1]: anyone may say who the client is") == true)
    }
}
