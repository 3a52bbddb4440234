import PosternCore
import PosternRedis
import Testing

@testable import PosternIssuer

@Suite(.timeLimit(.minutes(1))) struct RevocationPublisherTests {
    /// An issuer that publishes, and somebody who sees what arrives.
    private func run(
        password: String? = nil, issuerPassword: String? = nil, before: (RedisObserver) async throws -> Void = { _ in },
        _ test: (TestIssuer, RedisObserver) async throws -> Void
    ) async throws {
        try await RedisProcess.with(password: password) { server in
            let observer = try await RedisObserver(server, password: password)
            try await before(observer)
            let issuer = try await TestIssuer(redis: try server.configuration(password: issuerPassword ?? password))
            let publisher = try #require(issuer.issuer.revocations.publisher)
            let running = Task { try await publisher.run() }
            let result: (any Error)?
            do {
                try await test(issuer, observer)
                result = nil
            } catch {
                result = error
            }
            running.cancel()
            _ = await running.result
            await observer.stop()
            if let result { throw result }
        }
    }

    /// Revokes a new token; gives its member, and whether it was published before the answer.
    private func revoke(_ test: TestIssuer) async throws -> (member: String, isPublished: Bool?) {
        let token = try await test.token()
        let client = try #require(try await test.issuer.store.client("trading-dashboard"))
        let outcome = try await test.issuer.revocations.revoke(
            token.text, by: .client(client), issuer: TestIssuer.url, audit: .test)
        guard case .revoked(let tokenID, let isPublished) = outcome else {
            Issue.record("\(outcome)")
            return ("", nil)
        }
        #expect(tokenID == token.identifier)
        return ("{\"jti\":\"\(tokenID)\"}", isPublished)
    }

    private func waiting(_ test: TestIssuer) async throws -> Int {
        try await test.issuer.store.unpublishedRevocations(now: 0, limit: 99).count
    }

    @Test("A revocation is in the set and on the channel when it is acknowledged")
    func publishes() async throws {
        try await self.run { test, observer in
            // From the first message on Redis is connected.
            let first = try await self.revoke(test).member
            #expect(await observer.next(1) == [first])
            let (second, isPublished) = try await self.revoke(test)
            #expect(isPublished == true)
            #expect(try await observer.score(second) == "\(1_760_000_000 + 1800 + 300)")
            #expect(await observer.next(1) == [second])
            #expect(try await self.waiting(test) == 0)
            #expect(Revocation(json: Array(second.utf8))?.serialized == Array(second.utf8))
        }
    }

    @Test("A client that is switched off or removed is published before the answer")
    func clients() async throws {
        try await self.run { test, observer in
            let first = try await self.revoke(test).member
            #expect(await observer.next(1) == [first])
            var reader = FieldReader(.record([("is_active", .bool(false))]), fields: ServiceClientFields.changeable)
            let change = ServiceClientFields.change(&reader)
            _ = try await test.issuer.clients.change("trading-dashboard", change, audit: .test)
            #expect(try await self.waiting(test) == 0)
            try await test.issuer.clients.delete("mt5-api-service", audit: .test)
            #expect(try await self.waiting(test) == 0)
            #expect(
                await observer.next(2) == [
                    #"{"client":"trading-dashboard","before":1760000001}"#,
                    #"{"client":"mt5-api-service","before":1760000001}"#,
                ])
        }
    }

    @Test("Replicas limit a client's tokens together while Redis is there")
    func limits() async throws {
        try await self.run { test, observer in
            let first = try await self.revoke(test).member
            #expect(await observer.next(1) == [first])
            for _ in 0..<119 { _ = try await test.token() }
            await #expect(throws: TokenRefusal.rateLimited(retryAfter: 60)) { try await test.token() }
            guard case .array(let names) = try await observer.send("KEYS postern:limits:*") else {
                throw StoreRefusal.missing
            }
            #expect(names.count == 1)
        }
    }

    @Test("While Redis cannot be used they are kept, and then published in their order; the password is never logged")
    func publishesLate() async throws {
        try await self.run(password: "first-secret", issuerPassword: "second-secret") { test, observer in
            var members: [String] = []
            for _ in 0..<3 {
                let (member, isPublished) = try await self.revoke(test)
                #expect(isPublished == false)
                members.append(member)
            }
            #expect(try await self.waiting(test) == 3)
            try await observer.send("CONFIG SET requirepass second-secret")
            #expect(await observer.next(3) == members)
            // When this one is acknowledged, the others are marked.
            let (last, isPublished) = try await self.revoke(test)
            #expect(isPublished == true)
            #expect(await observer.next(1) == [last])
            #expect(try await self.waiting(test) == 0)
            #expect(test.log.text.contains("Redis cannot be reached"))
            #expect(test.log.text.contains("published that had to wait for Redis"))
            #expect(!test.log.text.contains("second-secret"))
        }
    }

    @Test("A Redis that lost its data gets it back with the next connection, and the proxies are told again")
    func restores() async throws {
        try await self.run { test, observer in
            var members: [String] = []
            for _ in 0..<3 { members.append(try await self.revoke(test).member) }
            #expect(await observer.next(3) == members)
            try await observer.send("ZREM \(RedisObserver.name) \(members[1])")
            try await observer.send("CLIENT KILL TYPE normal")
            #expect(await observer.next(1) == [members[1]])
            try await observer.send("FLUSHALL")
            try await observer.send("CLIENT KILL TYPE normal")
            #expect(await observer.next(3) == members)
            #expect(try await observer.send("ZCARD \(RedisObserver.name)") == .integer(3))
        }
    }

    @Test("What the store held before the start is ensured, but not what is over")
    func restoresAtStart() async throws {
        let folder = try TemporaryFolder()
        let test = try await TestIssuer(folder: folder)
        let member = try await self.revoke(test).member
        let store = test.issuer.store
        try await store.addRevocation(Revocation(.tokenID("over")), until: 1_759_999_999, now: 0, audit: .test)
        for row in try await store.unpublishedRevocations(now: 0, limit: 9) {
            try await store.markRevocationsPublished(through: row.id)
        }
        try await RedisProcess.with { server in
            let observer = try await RedisObserver(server)
            let again = try await TestIssuer(folder: folder, redis: try server.configuration())
            let publisher = try #require(again.issuer.revocations.publisher)
            let running = Task { try await publisher.run() }
            #expect(await observer.next(1) == [member])
            #expect(try await observer.send("ZCARD \(RedisObserver.name)") == .integer(1))
            running.cancel()
            _ = await running.result
            await observer.stop()
        }
    }

    @Test("A Redis that refuses is tried again, and its code is logged")
    func refused() async throws {
        let block: (RedisObserver) async throws -> Void = { try await $0.send("SET \(RedisObserver.name) x") }
        try await self.run(before: block) { test, observer in
            let member = try await self.revoke(test).member
            let (second, isPublished) = try await self.revoke(test)
            #expect(isPublished == false)
            try await observer.send("DEL \(RedisObserver.name)")
            #expect(await observer.next(2) == [member, second])
            #expect(test.log.text.contains("Redis refused: WRONGTYPE"))
        }
    }

    @Test("What is over leaves the set, at most once a minute, and nothing else does")
    func sweeps() async throws {
        let past = "ZADD \(RedisObserver.name) 1759999999 old"
        try await self.run(before: { try await $0.send(past) }) { test, observer in
            // The set is swept after what waits was published: so when the next one is published, it was.
            func revokeThrice() async throws {
                let members = [try await self.revoke(test).member, try await self.revoke(test).member]
                #expect(await observer.next(2) == members)
                _ = try await self.revoke(test)
                _ = await observer.next(1)
            }
            try await revokeThrice()
            #expect(try await observer.score("old") == nil)
            try await observer.send(past)
            test.clock.advance(by: 59)
            try await revokeThrice()
            #expect(try await observer.score("old") == "1759999999")
            test.clock.advance(by: 1)
            try await revokeThrice()
            #expect(try await observer.score("old") == nil)
            #expect(try await observer.send("ZCARD \(RedisObserver.name)") == .integer(9))
        }
    }

    @Test("Who waits when it ends is answered")
    func ends() async throws {
        try await RedisProcess.with { server in
            let test = try await TestIssuer(redis: try server.configuration())
            let publisher = try #require(test.issuer.revocations.publisher)
            let running = Task { try await publisher.run() }
            running.cancel()
            _ = await running.result
            #expect(await publisher.publish() == false)
            #expect(try await self.revoke(test).isPublished == false)
            #expect(try await self.waiting(test) == 1)
        }
    }
}
