import Testing

@testable import PosternIssuer

@Suite struct TrustedProxyOptionTests {
    private func resolve(option: String? = nil, variable: String? = nil) throws -> [String] {
        var options = IssuerOptions()
        options.dev = true
        options.trustedProxies = option
        let variables = variable.map { ["POSTERN_ISSUER_TRUSTED_PROXIES": $0] } ?? [:]
        return try IssuerConfiguration.resolve(options, IssuerEnvironment(variables)).trustedProxies.blocks
            .map(\.description)
    }

    @Test("Blocks and addresses of both families, by option or by variable; the option wins")
    func reads() throws {
        #expect(try self.resolve().isEmpty)
        #expect(try self.resolve(option: "10.0.0.0/8, 2001:db8::/32,127.0.0.1").count == 3)
        #expect(try self.resolve(variable: "192.0.2.7") == ["192.0.2.7"])
        #expect(try self.resolve(option: "::1", variable: "192.0.2.7") == ["::1"])
    }

    @Test(
        "What is no list of blocks, or holds everybody, is refused",
        arguments: [
            ("10.0.0.0", true), ("10.0.0.1/8", false), ("proxy.local", false), ("10.0.0.0/8,", false),
            ("10.0.0.0/8;::1", false), ("0.0.0.0/0", false), ("::/0", false), ("10.0.0.0/8,::/0", false),
        ])
    func refuses(_ text: String, _ isFine: Bool) throws {
        if isFine {
            #expect(try self.resolve(option: text) == [text])
            return
        }
        let errors = #expect(throws: ConfigurationErrors.self) { try self.resolve(option: text) }
        #expect(errors?.problems.count == 1)
        #expect(errors?.problems.first?.hasPrefix("--trusted-proxies ") == true)
    }
}
