import PosternCore
import Testing

@testable import PosternIssuer

@Suite(.timeLimit(.minutes(1))) struct TokenCommandTests {
    @Test("A token that a command signs is as good as one of the endpoint")
    func issues() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        let answer = try await line.json(.token(.issue(client: "trading-dashboard", scope: "trade:read")))
        #expect(answer["token_type"]?.string == "Bearer" && answer["expires_in"] == .integer(1800))
        #expect(answer["scope"]?.string == "trade:read")
        let token = try #require(answer["access_token"]?.string)
        let shown = try await line.json(.token(.inspect(token)))
        #expect(shown["active"] == .bool(true) && shown["client_id"]?.string == "trading-dashboard")
        #expect(shown["iss"]?.string == TestIssuer.url && shown["aud"]?.string == "mt5-api")
        let entry = try #require(try await test.issuer.store.auditEntries(limit: 1).first)
        #expect(entry.action == .tokenIssued && entry.actor == "command" && entry.reason == "client:trading-dashboard")
        #expect(entry.target == "token:\(shown["jti"]?.string ?? "")")
        #expect(!test.log.text.contains(token))
    }

    @Test("What the endpoint would refuse is refused")
    func refuses() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        #expect(
            try await line.refusal(.token(.issue(client: "nobody", scope: nil)))
                == ["there is no client with this client_id"])
        #expect(
            try await line.refusal(.token(.issue(client: "trading-dashboard", scope: "admin:clients")))
                == ["the client does not have the scope admin:clients"])
        var off = CommandFields()
        off.set("is_active", false)
        try await line.run(.client(.change("trading-dashboard", off)))
        #expect(
            try await line.refusal(.token(.issue(client: "trading-dashboard", scope: nil)))
                == ["the client is not active"])
    }

    @Test("A token is revoked by command, once and for all; what is none ends with 1")
    func revokes() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        let token = try await test.token()
        let answer = try await line.json(.token(.revoke(token.text)))
        #expect(answer == .record([("revoked", .bool(true)), ("jti", .string(token.identifier))]))
        #expect(try await test.revocations() == ["{\"jti\":\"\(token.identifier)\"}"])
        #expect(
            try await line.run(.token(.inspect(token.text)))
                == CommandAnswer(lines: ["{\"active\":false,\"reason\":\"revoked\"}"], exitCode: 1))
        for rubbish in ["x", "a.b.c", token.text + "A", "hrt_x"] {
            let revoked = try await line.run(.token(.revoke(rubbish)))
            #expect(revoked.exitCode == 1 && revoked.lines[0].hasPrefix("{\"revoked\":false,\"reason\":"))
            let shown = try await line.run(.token(.inspect(rubbish)))
            #expect(shown.exitCode == 1 && shown.lines[0].hasPrefix("{\"active\":false,\"reason\":"))
        }
    }

    @Test("What a command revokes is published by itself where Redis is named")
    func publishes() async throws {
        try await RedisProcess.with { server in
            let observer = try await RedisObserver(server)
            let test = try await TestIssuer()
            var line = CommandLine(test)
            line.redis = try server.configuration()
            let token = try await test.token()
            _ = try await line.json(.token(.revoke(token.text)))
            #expect(await observer.next(1) == ["{\"jti\":\"\(token.identifier)\"}"])
            #expect(try await test.revocations().isEmpty)
            await observer.stop()
        }
    }

    @Test("Else the issuer that runs publishes it, without being told")
    func publishedByServer() async throws {
        try await RedisProcess.with { server in
            let observer = try await RedisObserver(server)
            let test = try await TestIssuer(redis: try server.configuration())
            let publisher = try #require(test.issuer.revocations.publisher)
            let running = Task { try await publisher.run() }
            let token = try await test.token()
            _ = try await CommandLine(test).json(.token(.revoke(token.text)))
            #expect(await observer.next(1) == ["{\"jti\":\"\(token.identifier)\"}"])
            running.cancel()
            _ = await running.result
            await observer.stop()
        }
    }

    @Test("A Redis that does not answer is a warning: the revocation is stored")
    func redisAway() async throws {
        let test = try await TestIssuer()
        let token = try await test.token()
        var configuration = TestIssuer.configuration(test.folder)
        // Nobody listens on port 1 of loopback.
        configuration.redis = RedisConfiguration(url: try RedisURL("redis://127.0.0.1:1"))
        let clock = IssuerClock(now: test.clock.clock.now) { _ in await Task.yield() }
        let runner = CommandRunner(configuration, logger: test.log.logger, clock: clock, passwords: .cheap)
        let answer = try await runner.run(.token(.revoke(token.text)))
        #expect(answer.exitCode == 0)
        #expect(answer.warning?.hasPrefix("Redis did not take the revocations: they are stored") == true)
        #expect(try await test.revocations().count == 1)
    }
}
