import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

/// The issuer as a whole over PostgreSQL; what the store does is tested over both kinds.
@Suite struct IssuerOverPostgresTests {
    private func configuration(_ url: String, _ folder: TemporaryFolder) throws -> IssuerConfiguration {
        var configuration = TestIssuer.configuration(folder)
        configuration.store.location = .postgres(try PostgresURL(url))
        return configuration
    }

    @Test("Replicas share keys, clients and revocations; the key file opens the store")
    func replicas() async throws {
        let (folder, url) = (try TemporaryFolder(), try await PostgresServer.newStore())
        let configuration = try self.configuration(url, folder)
        let clock = TestClock().clock
        let one = try await Issuer.open(configuration, clock: clock)
        let other = try await Issuer.open(configuration, clock: clock)
        #expect(one.keys.published == other.keys.published)
        let token = try await one.tokens.issue(
            TokenRequest(.secret(clientID: "trading-dashboard", secret: TestIssuer.dashboardSecret)),
            issuer: TestIssuer.url)
        let client = try #require(try await other.store.client("trading-dashboard"))
        _ = try await other.revocations.revoke(token.text, by: .client(client), issuer: TestIssuer.url, audit: .test)
        #expect(try await one.store.isRevoked(tokenID: token.identifier))
        var stranger = configuration
        stranger.store.keySource = .bytes([UInt8](repeating: 9, count: 32))
        let wrong = stranger
        await #expect(throws: IssuerStartError.wrongKey) { try await Issuer.open(wrong, clock: clock) }
        await one.store.close()
        await other.store.close()
    }

    @Test("While the database is away requests are 503, and nothing of the URL is in the log")
    func away() async throws {
        let name = try await PostgresServer.newDatabase()
        let url = try await PostgresServer.url(name, more: "&password=s3cret")
        let test = try await TestIssuer(location: .postgres(try PostgresURL(url)))
        try await test.serve { client in
            #expect(try await client.execute(uri: "/health", method: .get).status == .ok)
            try await PostgresServer.administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS false")
            try await PostgresServer.administer(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
            #expect(try await client.execute(uri: "/health", method: .get).status == .serviceUnavailable)
            let token = try await client.post("/oauth/token", "grant_type=client_credentials&" + TestIssuer.form())
            #expect(token.status == .serviceUnavailable)
            #expect(token.headers[.contentType] == "application/problem+json")
            #expect(try token.json["code"]?.string == "store_unavailable")
        }
        #expect(test.log.text.contains("is not currently accepting connections"))
        #expect(!test.log.text.contains("s3cret") && !test.log.text.contains(TestIssuer.dashboardSecret))
        await test.issuer.store.close()
    }
}
