import Testing

@testable import PosternIssuer

@Suite struct ScopeListTests {
    private func client(_ scopes: [String]) -> ServiceClient {
        ServiceClient(
            clientID: "c", isActive: true, isTrusted: false, accessTokenLifetime: 60,
            rateLimits: RateLimits(perMinute: 1, perHour: 1), allowedAddresses: [], scopes: scopes)
    }

    @Test(
        "What is granted for a request",
        arguments: [
            (nil, ["a", "b", "c"]), ("", ["a", "b", "c"]), ("   ", ["a", "b", "c"]), ("b", ["b"]),
            ("c a", ["c", "a"]), ("a a b a", ["a", "b"]), (" a  b ", ["a", "b"]),
        ] as [(String?, [String])])
    func grants(_ requested: String?, _ granted: [String]) throws {
        #expect(try ScopeList.grant(requested, of: self.client(["a", "b", "c"])) == granted)
    }

    @Test(
        "What is refused",
        arguments: [
            ("d", "the client does not have the scope d"),
            ("a d", "the client does not have the scope d"),
            ("A", "the client does not have the scope A"),
            ("a\tb", "the scope is malformed"),
            ("a\"", "the scope is malformed"),
            ("a\\", "the scope is malformed"),
            ("é", "the scope is malformed"),
            ("a\u{0}", "the scope is malformed"),
            (String(repeating: "x", count: 65), "the client does not have the scope"),
        ])
    func refuses(_ requested: String, _ sentence: String) {
        #expect(throws: TokenRefusal.invalidScope(sentence)) {
            try ScopeList.grant(requested, of: self.client(["a", "b"]))
        }
    }
}
