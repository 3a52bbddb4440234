import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct ServiceKeyEndpointTests {
    private static let path = "/auth/service-keys"

    @Test("A key is shown once, recognized by its digest, and refused when it is revoked")
    func life() async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        let keys = test.issuer.serviceKeys
        try await test.serve { client in
            let made = try await client.send(
                .post, Self.path, #"{"name":"notify","description":"for 8003"}"#, bearer: admin)
            #expect(made.status == .created && made.headers[.cacheControl] == "no-store")
            let json = try made.json
            let text = try #require(json["api_key"]?.string)
            #expect(text.hasPrefix("hsk_") && text.utf8.count == 47)
            #expect(json["key_prefix"]?.string == String(text.prefix(12)))
            #expect(Identifier.isUUID(json["uuid"]?.string ?? ""))
            #expect(json["is_active"] == .bool(true) && json["created_at"]?.string == "2025-10-09T08:53:20Z")
            #expect(try await keys.authenticate(text)?.name == "notify")

            let twice = try await client.send(.post, Self.path, #"{"name":"notify"}"#, bearer: admin)
            #expect(twice.status == .conflict)
            test.clock.advance(by: 60)
            #expect(try await client.send(.delete, Self.path + "/notify", nil, bearer: admin).status == .noContent)
            #expect(try await client.send(.delete, Self.path + "/notify", nil, bearer: admin).status == .notFound)
            #expect(try await keys.authenticate(text) == nil)

            let next = try await client.send(.post, Self.path, #"{"name":"notify"}"#, bearer: admin)
            #expect(next.status == .created)
            let list = try await client.send(.get, Self.path, nil, bearer: admin)
            guard case .array(let items) = try list.json else { throw StoreRefusal.missing }
            #expect(items.map { $0["is_active"] } == [.bool(false), .bool(true)])
            #expect(items.map { $0["revoked_at"] } == [.string("2025-10-09T08:54:20Z"), .null])
            #expect(items.map { $0["description"]?.string } == ["for 8003", ""])
            #expect(!String(buffer: list.body).contains(text) && items.allSatisfy { $0["api_key"] == nil })
            let audit = test.auditLines.text
            #expect(audit.contains(#""action":"service_key.create","allowed":true,"actor":"client:admin""#))
            #expect(audit.contains(#""target":"service-key:notify""#) && audit.contains("service_key.revoke"))
            #expect(!audit.contains(text) && !test.log.text.contains(text))
        }
    }

    @Test(
        "What is no active key is nobody's", arguments: ["", "hsk_", "hsk_\(String(repeating: "A", count: 43))", "x"])
    func unknown(_ text: String) async throws {
        let test = try await TestIssuer()
        _ = try await test.issuer.serviceKeys.create(self.fields("a"), audit: .test)
        #expect(try await test.issuer.serviceKeys.authenticate(text) == nil)
    }

    @Test("A changed key, a digest and another issuer's key are nobody's")
    func near() async throws {
        let test = try await TestIssuer()
        let made = try await test.issuer.serviceKeys.create(self.fields("a"), audit: .test)
        let keys = test.issuer.serviceKeys
        for text in [made.text + "A", String(made.text.dropLast()), made.text.lowercased() + " "] {
            #expect(try await keys.authenticate(text) == nil)
        }
        #expect(try await keys.authenticate(Base64URL.encode(made.key.digest)) == nil)
        let other = ServiceKeyHasher(pepper: [UInt8](repeating: 1, count: 32))
        #expect(other.digest(made.text) != made.key.digest)
        // The pepper is for service keys alone.
        #expect(
            test.issuer.tokens.authentication.hasher.digest(made.text, of: "a") != made.key.digest)
    }

    @Test(
        "A wrong field is named",
        arguments: [
            ("{}", "name"), (#"{"name":""}"#, "name"), (#"{"name":"a b"}"#, "name"), (#"{"name":"."}"#, "name"),
            (#"{"name":null}"#, "name"), ("{\"name\":\"\(String(repeating: "a", count: 65))\"}", "name"),
            (#"{"name":"a","description":1}"#, "description"), (#"{"name":"a","scopes":[]}"#, "scopes"),
        ])
    func refuses(_ body: String, _ field: String) async throws {
        let test = try await TestIssuer()
        let admin = try await test.administrator()
        try await test.serve { client in
            let answer = try await client.send(.post, Self.path, body, bearer: admin)
            #expect(answer.status == .unprocessableContent)
            guard case .array(let errors)? = try answer.json["errors"] else { throw StoreRefusal.missing }
            #expect(errors.map { $0["field"]?.string } == [field])
        }
        #expect(try await test.issuer.store.serviceKeys().isEmpty)
    }

    private func fields(_ name: String) -> ServiceKeyFields {
        var reader = FieldReader(.record([("name", .string(name))]), fields: ServiceKeyFields.all)
        return ServiceKeyFields(&reader)
    }
}
