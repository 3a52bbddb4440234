import GRDB
import Testing

@testable import PosternIssuer

@Suite struct TokenServiceTests {
    private func request(
        _ client: String = "mt5-api-service", secret: String = TestIssuer.serviceSecret, scope: String? = nil,
        address: String? = "10.1.2.3"
    ) -> TokenRequest {
        TokenRequest(
            .secret(clientID: client, secret: secret), scope: scope, address: address.flatMap(Address.init))
    }

    private func refusal(_ test: TestIssuer, _ request: TokenRequest) async -> TokenRefusal? {
        do {
            _ = try await test.issuer.tokens.issue(request, issuer: TestIssuer.url)
            return nil
        } catch {
            return error as? TokenRefusal
        }
    }

    private func change(_ test: TestIssuer, _ sql: String) async throws {
        try await test.issuer.store.script(sql)
    }

    @Test("An unknown client and a wrong secret are refused alike")
    func wrongCredentials() async throws {
        let test = try await TestIssuer()
        #expect(await self.refusal(test, self.request(secret: "wrong")) == .invalidClient)
        #expect(await self.refusal(test, self.request("nobody")) == .invalidClient)
        #expect(await self.refusal(test, self.request(secret: TestIssuer.dashboardSecret)) == .invalidClient)
        #expect(await self.refusal(test, self.request("MT5-API-SERVICE")) == .invalidClient)
        #expect(await self.refusal(test, self.request("mt5-api-service' OR '1'='1")) == .invalidClient)
    }

    @Test(
        "The caller's address decides for a client with allowed_ips",
        arguments: [
            ("10.1.2.3", nil), ("172.16.0.1", nil), ("192.168.9.9", nil), ("127.0.0.1", nil), ("::1", nil),
            ("::ffff:10.0.0.1", nil), ("203.0.113.9", .addressNotAllowed), ("2001:db8::1", .addressNotAllowed),
            (nil, .addressNotAllowed),
        ] as [(String?, TokenRefusal?)])
    func address(_ address: String?, _ expected: TokenRefusal?) async throws {
        #expect(await self.refusal(try await TestIssuer(), self.request(address: address)) == expected)
    }

    @Test("A client without allowed_ips is served anywhere")
    func anywhere() async throws {
        let test = try await TestIssuer()
        for address in [nil, "203.0.113.9", "2001:db8::1"] {
            let request = self.request("trading-dashboard", secret: TestIssuer.dashboardSecret, address: address)
            #expect(await self.refusal(test, request) == nil)
        }
    }

    @Test("Checks come in the documented order: credentials, active, address, rate, scope")
    func order() async throws {
        let test = try await TestIssuer()
        try await self.change(
            test, "UPDATE client SET is_active = 0, rate_limit_per_minute = 1 WHERE client_id = 'mt5-api-service'")
        let outside = "203.0.113.9"
        #expect(
            await self.refusal(test, self.request(secret: "wrong", scope: "nope", address: outside)) == .invalidClient)
        #expect(await self.refusal(test, self.request(scope: "nope", address: outside)) == .inactive)
        try await self.change(test, "UPDATE client SET is_active = 1")
        #expect(await self.refusal(test, self.request(scope: "nope", address: outside)) == .addressNotAllowed)
        #expect(
            await self.refusal(test, self.request(scope: "nope"))
                == .invalidScope("the client does not have the scope nope"))
        #expect(await self.refusal(test, self.request(scope: "nope")) == .rateLimited(retryAfter: 60))
    }

    @Test("A limit ends with its window, and wrong secrets use up nobody's share")
    func rate() async throws {
        let test = try await TestIssuer()
        for _ in 0..<400 {
            #expect(await self.refusal(test, self.request(secret: "wrong")) == .invalidClient)
        }
        try await self.change(test, "UPDATE client SET rate_limit_per_minute = 2")
        #expect(await self.refusal(test, self.request()) == nil)
        #expect(await self.refusal(test, self.request()) == nil)
        test.clock.advance(by: 20)
        #expect(await self.refusal(test, self.request()) == .rateLimited(retryAfter: 40))
        test.clock.advance(by: 40)
        #expect(await self.refusal(test, self.request()) == nil)
    }
}
