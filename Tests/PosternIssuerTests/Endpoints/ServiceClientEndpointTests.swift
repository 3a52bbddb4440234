import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct ServiceClientEndpointTests {
    private static let path = "/api/v1/admin/service-clients"

    @Test("A client is registered, its secret works, and both logs say so without it")
    func creates() async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        try await test.serve { client in
            let made = try await client.send(
                .post, Self.path, #"{"client_id":"orders","scope_ids":["order:new","trade:read"]}"#, bearer: admin)
            #expect(made.status == .created)
            #expect(made.headers[.location] == Self.path + "/orders")
            #expect(made.headers[.cacheControl] == "no-store")
            let json = try made.json
            let secret = try #require(json["client_secret"]?.string)
            #expect(secret.utf8.count == 32)
            #expect(json["created_at"]?.string == "2025-10-09T08:53:20Z")
            #expect(json["scope_ids"] == .strings(["order:new", "trade:read"]))
            #expect(try await client.tokenStatus("orders", secret) == 200)
            let shown = try await client.send(.get, Self.path + "/orders", nil, bearer: admin)
            #expect(shown.status == .ok && shown.headers[.cacheControl] == "no-store")
            #expect(try shown.json["client_secret"] == nil)
            #expect(try shown.json["client_id"]?.string == "orders")
            #expect(try await client.send(.get, Self.path + "/o%72ders", nil, bearer: admin).status == .ok)
            #expect(try await test.issuer.store.scopes().contains("order:new"))
            let line = try #require(test.auditLines.text.split(separator: "\n").first { $0.contains("client.create") })
            #expect(line.contains(#""actor":"client:admin","target":"client:orders""#))
            #expect(!test.auditLines.text.contains(secret) && !test.log.text.contains(secret))
        }
    }

    @Test("What was refused was not registered")
    func refuses() async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        try await test.serve { client in
            let bad = try await client.send(
                .post, Self.path, #"{"client_id":"a b","is_active":"no","allowed_ips":"x","more":1}"#, bearer: admin)
            #expect(bad.status == .unprocessableContent)
            #expect(try bad.json["code"]?.string == "invalid_fields")
            guard case .array(let errors)? = try bad.json["errors"] else { throw StoreRefusal.missing }
            #expect(
                Set(errors.compactMap { $0["field"]?.string }) == ["client_id", "is_active", "allowed_ips", "more"])
            #expect(errors.allSatisfy { $0["detail"]?.string?.isEmpty == false })

            let taken = try await client.send(.post, Self.path, #"{"client_id":"admin"}"#, bearer: admin)
            #expect(taken.status == .conflict)
            #expect(try taken.json["code"]?.string == "already_exists")
            #expect(try await client.send(.post, Self.path, "{", bearer: admin).status == .badRequest)
            #expect(try await client.send(.post, Self.path, "[]", bearer: admin).status == .badRequest)
            #expect(try await client.send(.post, Self.path, nil, bearer: admin).status == .unsupportedMediaType)
            let long = #"{"client_id":"x","description":"\#(String(repeating: "a", count: 65536))"}"#
            #expect(try await client.send(.post, Self.path, long, bearer: admin).status == .contentTooLarge)
        }
        #expect(try await test.issuer.store.clients(after: nil, limit: 9).items.count == 3)
        #expect(!test.auditLines.text.contains("client.create"))
    }

    @Test(
        "Every endpoint wants an administrator of clients",
        arguments: [
            ("POST", path, "{}"), ("GET", path, nil), ("GET", path + "/admin", nil), ("PATCH", path + "/admin", "{}"),
            ("DELETE", path + "/admin", nil), ("POST", path + "/admin/rotate-secret", nil),
            ("POST", "/auth/service-keys", "{}"), ("GET", "/auth/service-keys", nil),
            ("DELETE", "/auth/service-keys/x", nil),
        ] as [(String, String, String?)])
    func wantsAdministrator(_ method: String, _ path: String, _ body: String?) async throws {
        let test = try await TestIssuer()
        _ = try await test.administrator()
        let other = try await test.administrator("other", scopes: [AdminGate.users, "admin:system"])
        let verb = try #require(HTTPRequest.Method(method))
        try await test.serve { client in
            let nobody = try await client.send(verb, path, body)
            #expect(nobody.status == .unauthorized)
            #expect(nobody.headers[.wwwAuthenticate]?.hasPrefix("Bearer ") == true)
            let stranger = try await client.send(verb, path, body, bearer: "a.b.c")
            #expect(stranger.status == .unauthorized)
            #expect(try await client.send(verb, path, body, bearer: other).status == .forbidden)
        }
        #expect(try await test.issuer.store.client("admin") != nil)
    }

    @Test("Clients are listed in parts")
    func lists() async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        try await test.serve { client in
            var names: [String] = []
            var next: String? = ""
            var parts = 0
            while let after = next {
                let part = try await client.send(.get, Self.path + "?limit=2&after=\(after)", nil, bearer: admin)
                #expect(part.status == .ok)
                guard case .array(let items)? = try part.json["items"] else { throw StoreRefusal.missing }
                names += items.compactMap { $0["client_id"]?.string }
                next = try part.json["next"]?.string
                parts += 1
            }
            #expect(names == ["admin", "mt5-api-service", "trading-dashboard"])
            #expect(parts == 2)
            let wrong = try await client.send(.get, Self.path + "?limit=0", nil, bearer: admin)
            #expect(wrong.status == .unprocessableContent)
        }
    }

    @Test("A change shows in the answer, in the audit log, and in the next token")
    func changes() async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        try await test.serve { client in
            let path = Self.path + "/trading-dashboard"
            let changed = try await client.send(
                .patch, path, #"{"access_token_lifetime":77,"scope_ids":["trade:read"],"name":"D"}"#, bearer: admin)
            #expect(changed.status == .ok)
            #expect(try changed.json["access_token_lifetime"] == .integer(77))
            #expect(try changed.json["name"]?.string == "D")
            let token = try await client.post("/oauth/token", "grant_type=client_credentials&" + TestIssuer.form())
            #expect(try token.json["expires_in"] == .integer(77))
            #expect(try token.json["scope"]?.string == "trade:read")
            let line = try #require(test.auditLines.text.split(separator: "\n").first { $0.contains("client.change") })
            #expect(line.contains(#""reason":"name access_token_lifetime scope_ids""#))
            // Nothing to change is no change.
            test.clock.advance(by: 10)
            let same = try await client.send(.patch, path, "{}", bearer: admin)
            #expect(same.status == .ok)
            #expect(try same.json["updated_at"] == changed.json["updated_at"])
            let renamed = try await client.send(.patch, path, #"{"client_id":"x","name":""}"#, bearer: admin)
            #expect(renamed.status == .unprocessableContent)
        }
    }

    @Test("A client that is not there is 404 everywhere", arguments: ["nobody", "a%20b", "%00", "%ff", "%"])
    func missing(_ name: String) async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        try await test.serve { client in
            let path = Self.path + "/" + name
            for (method, path, body) in [
                (HTTPRequest.Method.get, path, nil), (.patch, path, #"{"name":"x"}"#), (.patch, path, "{}"),
                (.delete, path, nil), (.post, path + "/rotate-secret", "{}"),
            ] as [(HTTPRequest.Method, String, String?)] {
                let answer = try await client.send(method, path, body, bearer: admin)
                #expect(answer.status == .notFound, "\(method) \(path)")
                #expect(try answer.json["code"]?.string == "not_found")
            }
        }
    }

    @Test("A deactivated client gets no token, and those that it has are revoked; so they stay when it is active again")
    func deactivates() async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        let token = try await test.token().text
        let checker = TokenChecker(store: test.issuer.store, keys: test.issuer.keys, clock: test.clock.clock)
        try await test.serve { client in
            let path = Self.path + "/trading-dashboard"
            let off = try await client.send(.patch, path, #"{"is_active":false}"#, bearer: admin)
            #expect(off.status == .ok)
            #expect(try await client.tokenStatus("trading-dashboard", TestIssuer.dashboardSecret) == 401)
            #expect(try await test.revocations() == [#"{"client":"trading-dashboard","before":1760000001}"#])
            #expect(try await checker.check(token, issuer: TestIssuer.url) == .bad(.inactive))
            #expect(try await client.send(.patch, path, #"{"is_active":true}"#, bearer: admin).status == .ok)
            test.clock.advance(by: 2)
            #expect(try await checker.check(token, issuer: TestIssuer.url) == .bad(.revoked))
            #expect(try await client.tokenStatus("trading-dashboard", TestIssuer.dashboardSecret) == 200)
        }
    }

    @Test("A removed client is gone with its secret and its tokens, also for the next one of its name")
    func deletes() async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        let token = try await test.token().text
        let checker = TokenChecker(store: test.issuer.store, keys: test.issuer.keys, clock: test.clock.clock)
        try await test.serve { client in
            let path = Self.path + "/trading-dashboard"
            let gone = try await client.send(.delete, path, nil, bearer: admin)
            #expect(gone.status == .noContent && gone.body.readableBytes == 0)
            #expect(try await client.send(.get, path, nil, bearer: admin).status == .notFound)
            #expect(try await client.tokenStatus("trading-dashboard", TestIssuer.dashboardSecret) == 401)
            #expect(try await test.revocations() == [#"{"client":"trading-dashboard","before":1760000001}"#])
            let again = try await client.send(.post, Self.path, #"{"client_id":"trading-dashboard"}"#, bearer: admin)
            #expect(again.status == .created)
            test.clock.advance(by: 2)
            #expect(try await checker.check(token, issuer: TestIssuer.url) == .bad(.revoked))
            #expect(test.auditLines.text.contains(#""client.delete","allowed":true,"actor":"client:admin""#))
        }
    }

    @Test("An old secret works until its overlap is over, and without one no more")
    func rotates() async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        try await test.serve { client in
            let path = Self.path + "/trading-dashboard/rotate-secret"
            let first = try await client.send(.post, path, #"{"overlap_seconds":600}"#, bearer: admin)
            #expect(first.status == .ok && first.headers[.cacheControl] == "no-store")
            #expect(try first.json["client_id"]?.string == "trading-dashboard")
            #expect(try first.json["old_secret_valid_until"]?.string == "2025-10-09T09:03:20Z")
            let second = try #require(try first.json["client_secret"]?.string)
            test.clock.advance(by: 599)
            #expect(try await client.tokenStatus("trading-dashboard", TestIssuer.dashboardSecret) == 200)
            #expect(try await client.tokenStatus("trading-dashboard", second) == 200)
            test.clock.advance(by: 1)
            #expect(try await client.tokenStatus("trading-dashboard", TestIssuer.dashboardSecret) == 401)
            // Without a body: at once.
            let last = try await client.send(.post, path, nil, bearer: admin)
            #expect(try last.json["old_secret_valid_until"] == .null)
            let third = try #require(try last.json["client_secret"]?.string)
            #expect(try await client.tokenStatus("trading-dashboard", second) == 401)
            #expect(try await client.tokenStatus("trading-dashboard", third) == 200)
            #expect(test.auditLines.text.contains("client.rotate_secret"))
            for secret in [second, third] {
                #expect(!test.auditLines.text.contains(secret) && !test.log.text.contains(secret))
            }
        }
    }

    @Test("An overlap is whole seconds up to a week", arguments: ["-1", "604801", "1.5", "\"60\"", "null"])
    func overlap(_ value: String) async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        try await test.serve { client in
            let path = Self.path + "/trading-dashboard/rotate-secret"
            let answer = try await client.send(.post, path, "{\"overlap_seconds\":\(value)}", bearer: admin)
            #expect(answer.status == .unprocessableContent)
            #expect(try await client.tokenStatus("trading-dashboard", TestIssuer.dashboardSecret) == 200)
            #expect(
                try await client.send(.post, path, #"{"overlap":1}"#, bearer: admin).status == .unprocessableContent)
        }
    }
}
