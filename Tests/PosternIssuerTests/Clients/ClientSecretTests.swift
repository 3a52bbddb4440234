import Testing

@testable import PosternIssuer

@Suite struct ClientSecretTests {
    private let hasher = ClientSecretHasher(pepper: [UInt8](repeating: 7, count: 32))

    @Test("A secret matches its own digest, wherever that stands in the list")
    func matches() {
        let other = self.hasher.digest("other", of: "client")
        let right = self.hasher.digest("right", of: "client")
        #expect(self.hasher.matches("right", of: "client", stored: [right]))
        #expect(self.hasher.matches("right", of: "client", stored: [other, right]))
        #expect(self.hasher.matches("right", of: "client", stored: [right, other]))
        #expect(!self.hasher.matches("wrong", of: "client", stored: [right, other]))
        #expect(!self.hasher.matches("", of: "client", stored: [right]))
    }

    @Test("A client without secrets matches nothing")
    func unknown() {
        #expect(!self.hasher.matches("right", of: "client", stored: []))
    }

    @Test("A digest is worth nothing for another client or under another pepper")
    func bound() {
        let digest = self.hasher.digest("right", of: "client")
        #expect(!self.hasher.matches("right", of: "client2", stored: [digest]))
        let pepper = ClientSecretHasher(pepper: [UInt8](repeating: 8, count: 32))
        #expect(!pepper.matches("right", of: "client", stored: [digest]))
    }

    @Test("A new secret has 32 characters and is never the same")
    func fresh() {
        let secrets = (0..<50).map { _ in ClientSecretHasher.newSecret() }
        #expect(secrets.allSatisfy { $0.utf8.count == 32 })
        #expect(Set(secrets).count == 50)
    }

    @Test("The reference clients are those of the product's description")
    func referenceClients() throws {
        let service = try #require(ReferenceClients.all.first { $0.clientID == "mt5-api-service" })
        let dashboard = try #require(ReferenceClients.all.first { $0.clientID == "trading-dashboard" })
        #expect(service.isTrusted && service.accessTokenLifetime == 3600)
        #expect(service.rateLimits == RateLimits(perMinute: 300, perHour: 10000))
        #expect(
            service.allowedAddresses.map(\.description) == [
                "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1",
            ])
        #expect(
            service.scopes.joined(separator: " ")
                == "trade:open trade:close trade:modify account:read account:balance market:data service:mt5")
        #expect(!dashboard.isTrusted && dashboard.accessTokenLifetime == 1800)
        #expect(dashboard.rateLimits == RateLimits(perMinute: 120, perHour: 5000))
        #expect(dashboard.allowedAddresses.isEmpty)
        #expect(
            dashboard.scopes.joined(separator: " ")
                == "read:profile write:profile trade:read trade:open account:read market:data")
    }
}
