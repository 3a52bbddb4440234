import Foundation
import Testing

@testable import PosternIssuer

@Suite struct IssuerStartTests {
    private func serviceConfiguration(_ folder: TemporaryFolder) -> IssuerConfiguration {
        var configuration = TestIssuer.configuration(folder)
        configuration.dev = false
        configuration.devSecrets = [:]
        return configuration
    }

    @Test("An empty store is not served without --dev, and no key is made for it")
    func empty() async throws {
        let folder = try TemporaryFolder()
        let configuration = self.serviceConfiguration(folder)
        await #expect(throws: IssuerStartError.emptyStore) { try await Issuer.open(configuration) }
        #expect(!FileManager.default.fileExists(atPath: folder.file("key")))
    }

    @Test("A store made with --dev is never served without it")
    func developmentStore() async throws {
        let folder = try TemporaryFolder()
        _ = try await TestIssuer(folder: folder)
        let configuration = self.serviceConfiguration(folder)
        await #expect(throws: IssuerStartError.developmentStore) { try await Issuer.open(configuration) }
    }

    @Test("Bootstrap makes an administrator whose secret works; --dev and a second bootstrap are refused then")
    func bootstrap() async throws {
        let folder = try TemporaryFolder()
        let configuration = self.serviceConfiguration(folder)
        let store = try await configuration.store.open()
        let clock = TestClock().clock
        let admin = try await IssuerBootstrap.run(configuration.store, store: store, clock: clock)
        #expect(admin.clientID == "admin" && admin.secret.utf8.count == 32)
        let issuer = try await Issuer.open(configuration, clock: clock)
        let token = try await issuer.tokens.issue(
            TokenRequest(.secret(clientID: admin.clientID, secret: admin.secret)), issuer: TestIssuer.url)
        #expect(token.scopes == ["admin:clients", "admin:users"])
        #expect(issuer.devSecrets.isEmpty)
        await #expect(throws: IssuerStartError.notEmpty) {
            try await IssuerBootstrap.run(configuration.store, store: store, clock: clock)
        }
        await #expect(throws: IssuerStartError.serviceStore) {
            try await Issuer.open(TestIssuer.configuration(folder), clock: clock)
        }
    }

    @Test("Development secrets follow from the key: the same at each start, others on another machine")
    func devSecrets() async throws {
        let folder = try TemporaryFolder()
        var configuration = TestIssuer.configuration(folder)
        configuration.devSecrets = [:]
        let first = try await Issuer.open(configuration).devSecrets
        let again = try await Issuer.open(configuration).devSecrets
        #expect(first.map(\.clientID) == ["mt5-api-service", "trading-dashboard"])
        #expect(first.map(\.secret) == again.map(\.secret))
        var other = TestIssuer.configuration(try TemporaryFolder())
        other.devSecrets = [:]
        #expect(Set(try await Issuer.open(other).devSecrets.map(\.secret)).isDisjoint(with: first.map(\.secret)))
    }

    @Test("A secret from the environment replaces the one before it")
    func replacedSecret() async throws {
        let folder = try TemporaryFolder()
        var configuration = TestIssuer.configuration(folder)
        configuration.devSecrets = [:]
        let derived = try #require(try await Issuer.open(configuration).devSecrets.last)
        let issuer = try await TestIssuer(folder: folder).issuer
        let old = TokenRequest(.secret(clientID: derived.clientID, secret: derived.secret))
        await #expect(throws: TokenRefusal.invalidClient) {
            try await issuer.tokens.issue(old, issuer: TestIssuer.url)
        }
        let new = TokenRequest(.secret(clientID: derived.clientID, secret: TestIssuer.dashboardSecret))
        #expect(try await issuer.tokens.issue(new, issuer: TestIssuer.url).clientID == "trading-dashboard")
    }

    @Test("A store in a folder that does not exist is refused with a sentence")
    func missingFolder() async throws {
        var configuration = TestIssuer.configuration(try TemporaryFolder())
        configuration.store.location = .sqlite(path: "/nonexistent/folder/issuer.sqlite")
        let wanted = configuration
        await #expect(
            throws: IssuerStartError.store(
                "/nonexistent/folder/issuer.sqlite cannot be opened: unable to open database file")
        ) { try await Issuer.open(wanted) }
    }
}
