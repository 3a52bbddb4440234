import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct ClientCommandTests {
    private static func fields(_ name: String, _ more: (inout CommandFields) -> Void = { _ in }) -> CommandFields {
        var fields = CommandFields([("client_id", name)])
        more(&fields)
        return fields
    }

    @Test("A client that a command registers is served by the issuer that runs")
    func create() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        let fields = Self.fields("robot") { fields in
            fields.set("is_trusted", true)
            fields.set("access_token_lifetime", 120)
            fields.set("scope_ids", list: ["trade:read", "new:scope"])
        }
        let made = try await line.json(.client(.create(fields)))
        let secret = try #require(made["client_secret"]?.string)
        #expect(made["is_trusted"] == .bool(true))
        #expect(made["rate_limit_per_minute"] == .integer(60))
        let token = try await test.issuer.tokens.issue(
            TokenRequest(.secret(clientID: "robot", secret: secret)), issuer: TestIssuer.url)
        #expect(token.lifetime == 120 && token.scopes == ["trade:read", "new:scope"])
        let entry = try #require(try await test.issuer.store.auditEntries(limit: 1).first)
        #expect(entry.actor == "command" && entry.action == .clientCreated && entry.target == "client:robot")
        #expect(entry.time == test.clock.clock.now())
        #expect(!entry.line.contains(secret) && !test.log.text.contains(secret))
    }

    @Test("What is wrong is named field by field")
    func wrong() async throws {
        let line = CommandLine(try await TestIssuer())
        let fields = Self.fields("no spaces please") { fields in
            fields.set("access_token_lifetime", 1)
            fields.set("client_type", "public")
        }
        let sentences = try await line.refusal(.client(.create(fields)))
        #expect(sentences.count == 3)
        #expect(sentences.contains("access_token_lifetime is a whole number from 60 to 86400"))
        #expect(sentences.contains { $0.hasPrefix("client_id ") })
        #expect(
            try await line.refusal(.client(.create(Self.fields("mt5-api-service"))))
                == ["there is a client with this client_id already"])
        let renamed = Self.fields("another")
        let found = try await line.refusal(.client(.change("mt5-api-service", renamed)))
        #expect(found.count == 1 && found[0].hasPrefix("client_id "))
    }

    @Test("Lists come in parts, and each client can be shown")
    func lists() async throws {
        let line = CommandLine(try await TestIssuer())
        let first = try await line.json(.client(.list(CommandPage(after: nil, limit: 1))))
        let names = first["items"]?.elements.compactMap { $0["client_id"]?.string }
        #expect(names == ["mt5-api-service"])
        let next = try #require(first["next"]?.string)
        let second = try await line.json(.client(.list(CommandPage(after: next, limit: 500))))
        #expect(second["items"]?.elements.compactMap { $0["client_id"]?.string } == ["trading-dashboard"])
        #expect(second["next"] == .null)
        let shown = try await line.json(.client(.show("trading-dashboard")))
        #expect(second["items"]?.elements.first == shown)
        #expect(shown["client_secret"] == nil)
    }

    @Test("A client that becomes inactive or is removed loses its tokens, which waits to be published")
    func revokes() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        let token = try await test.token()
        var off = CommandFields()
        off.set("is_active", false)
        off.set("description", "switched off")
        let changed = try await line.json(.client(.change("trading-dashboard", off)))
        #expect(changed["is_active"] == .bool(false) && changed["description"]?.string == "switched off")
        #expect(try await test.revocations().count == 1)
        let checker = TokenChecker(store: test.issuer.store, keys: test.issuer.keys, clock: test.clock.clock)
        #expect(try await checker.check(token.text, issuer: TestIssuer.url) == .bad(.inactive))
        test.clock.advance(by: 10)
        let gone = try await line.json(.client(.delete("mt5-api-service")))
        #expect(gone == .record([("client_id", .string("mt5-api-service")), ("deleted", .bool(true))]))
        #expect(try await test.revocations().count == 2)
        #expect(try await test.issuer.store.client("mt5-api-service") == nil)
        let actions = try await test.issuer.store.auditEntries(limit: 2).map(\.action)
        #expect(actions == [.clientRemoved, .clientChanged])
    }

    @Test("A secret is rotated, and the old one works on as long as was said")
    func rotates() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        let rotated = try await line.json(.client(.rotateSecret("trading-dashboard", overlap: 60)))
        #expect(rotated["old_secret_valid_until"]?.string == TimeText.seconds(1_760_000_060))
        let secret = try #require(rotated["client_secret"]?.string)
        for known in [secret, TestIssuer.dashboardSecret] {
            let request = TokenRequest(.secret(clientID: "trading-dashboard", secret: known))
            #expect(try await test.issuer.tokens.issue(request, issuer: TestIssuer.url).lifetime == 1800)
        }
        test.clock.advance(by: 60)
        await #expect(throws: TokenRefusal.invalidClient) { try await test.token() }
        #expect(
            try await line.refusal(.client(.rotateSecret("trading-dashboard", overlap: -1)))
                == ["the overlap is 0 to 604800 seconds"])
    }

    @Test("A name that nobody has is refused")
    func missing() async throws {
        let line = CommandLine(try await TestIssuer())
        for operation: ClientOperation in [
            .show("x"), .change("x", CommandFields([("name", "y")])), .delete("x"), .rotateSecret("x", overlap: 0),
        ] {
            #expect(try await line.refusal(.client(operation)) == ["there is no client with this client_id"])
        }
    }

    @Test("Service keys are made, listed and revoked")
    func serviceKeys() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        let create = ServiceKeyOperation.create(CommandFields([("name", "mt5"), ("description", "of the tests")]))
        let made = try await line.json(.serviceKey(create))
        let key = try #require(made["api_key"]?.string)
        #expect(try await test.issuer.serviceKeys.authenticate(key)?.name == "mt5")
        #expect(
            try await line.refusal(.serviceKey(create)) == ["there is an active key with this name already"])
        let list = try await line.run(.serviceKey(.list))
        #expect(list.lines.count == 1 && list.lines[0].contains("\"is_active\":true") && !list.lines[0].contains(key))
        _ = try await line.json(.serviceKey(.revoke("mt5")))
        #expect(try await test.issuer.serviceKeys.authenticate(key) == nil)
        #expect(try await line.refusal(.serviceKey(.revoke("mt5"))) == ["there is no active key with this name"])
        #expect(try await line.refusal(.serviceKey(.create(CommandFields()))) == ["name is missing"])
    }
}
