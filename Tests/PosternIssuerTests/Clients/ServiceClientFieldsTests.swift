import HTTPTypes
import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct ServiceClientFieldsTests {
    private static let keys = """
        {"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}]}
        """

    private func reader(_ json: String, _ fields: [String] = ServiceClientFields.all) throws -> FieldReader {
        FieldReader(try JSONReader.parse(Array(json.utf8).span.bytes), fields: fields)
    }

    @Test("Everything but the name has a default")
    func defaults() throws {
        var reader = try self.reader(#"{"client_id":"mt5"}"#)
        let client = ServiceClientFields.client(&reader)
        try reader.finish()
        #expect(client == ServiceClient(clientID: "mt5"))
        #expect(client.name == "mt5" && client.isActive && !client.isTrusted)
        #expect(client.accessTokenLifetime == 3600 && client.refreshTokenLifetime == 86400)
        #expect(client.rateLimits == RateLimits(perMinute: 60, perHour: 1000))
        #expect(client.allowedAddresses.isEmpty && client.scopes.isEmpty && client.keySet == nil)
    }

    @Test("Every field is taken over")
    func all() throws {
        var reader = try self.reader(
            """
            {"client_id":"A.b_c-1","name":"Ä client","description":"d","client_type":"confidential","is_active":false,
             "is_trusted":true,"access_token_lifetime":60,"refresh_token_lifetime":31536000,"rate_limit_per_minute":1,
             "rate_limit_per_hour":100000000,"contact_email":"ops@example.com",
             "allowed_ips":"10.0.0.0/8, 2001:db8::/32","scope_ids":["trade:read","x"],"jwks":\(Self.keys)}
            """)
        let client = ServiceClientFields.client(&reader)
        try reader.finish()
        #expect(
            client
                == ServiceClient(
                    clientID: "A.b_c-1", name: "Ä client", description: "d", isActive: false, isTrusted: true,
                    accessTokenLifetime: 60, refreshTokenLifetime: 31_536_000,
                    rateLimits: RateLimits(perMinute: 1, perHour: 100_000_000), contactEmail: "ops@example.com",
                    allowedAddresses: ["10.0.0.0/8", "2001:db8::/32"].compactMap(AddressBlock.init),
                    scopes: ["trade:read", "x"], keySet: Self.keys))
    }

    static let wrong: [(String, String)] = [
        ("client_id", "null"), ("client_id", "1"), ("client_id", "\"\""), ("client_id", "\"a b\""),
        ("client_id", "\"a/b\""), ("client_id", "\"ä\""), ("client_id", "\"a\\u0000\""), ("client_id", "\"..\""),
        ("client_id", "\"\(String(repeating: "a", count: 129))\""), ("client_id", "\"postern-issuer\""),
        ("client_id", "\"01234567-89ab-cdef-0123-456789ABCDEF\""),
        ("name", "\"\""), ("name", "null"), ("name", "\"a\\nb\""),
        ("name", "\"\(String(repeating: "a", count: 257))\""),
        ("description", "[]"), ("description", "\"\(String(repeating: "a", count: 1025))\""),
        ("client_type", "\"public\""), ("client_type", "null"),
        ("is_active", "1"), ("is_active", "\"true\""), ("is_active", "null"), ("is_trusted", "0"),
        ("access_token_lifetime", "59"), ("access_token_lifetime", "86401"), ("access_token_lifetime", "60.5"),
        ("access_token_lifetime", "\"60\""), ("access_token_lifetime", "1e3"), ("access_token_lifetime", "null"),
        ("refresh_token_lifetime", "59"), ("refresh_token_lifetime", "31536001"),
        ("rate_limit_per_minute", "0"), ("rate_limit_per_minute", "1000001"), ("rate_limit_per_minute", "-1"),
        ("rate_limit_per_hour", "0"), ("rate_limit_per_hour", "100000001"),
        ("rate_limit_per_hour", "99999999999999999999"),
        ("contact_email", "\"nobody\""), ("contact_email", "\"@example.com\""), ("contact_email", "\"a@\""),
        ("contact_email", "\"a@b@c\""), ("contact_email", "\"a b@c\""), ("contact_email", "null"),
        ("allowed_ips", "[\"10.0.0.0/8\"]"), ("allowed_ips", "\"10.0.0.1/8\""), ("allowed_ips", "\"host\""),
        ("allowed_ips", "\"10.0.0.0/8,\""), ("allowed_ips", "\"2001:db8::/129\""), ("allowed_ips", "\"::1/0\""),
        ("scope_ids", "\"trade:read\""), ("scope_ids", "null"), ("scope_ids", "[1]"), ("scope_ids", "[\"\"]"),
        ("scope_ids", "[\"a b\"]"), ("scope_ids", "[\"a\",\"a\"]"), ("scope_ids", "[\"a\\\"b\"]"),
        ("scope_ids", "[\"ä\"]"), ("scope_ids", "[\"\(String(repeating: "a", count: 129))\"]"),
        ("jwks", "[]"), ("jwks", "\"{}\""), ("jwks", "{}"), ("jwks", "{\"keys\":[]}"), ("jwks", "{\"keys\":[1]}"),
        ("jwks", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}"),
        ("jwks", keys.replacing("}]}", with: ",\"d\":\"AAAA\"}]}")),
        ("jwks", keys.replacing("}]}", with: ",\"use\":\"enc\"}]}")),
        ("jwks", keys.replacing("11qYAYKxC", with: "11qY")),
        ("jwks", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\(point)\",\"y\":\"\(point)\"}]}"),
        ("jwks", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}"),
        ("unknown", "1"), ("created_at", "\"2026-01-01T00:00:00Z\""),
    ]

    /// A coordinate, but of no point together with itself.
    private static let point = Base64URL.encode([UInt8](repeating: 7, count: 32))

    @Test("A wrong field is named, and nothing else is", arguments: Self.wrong)
    func refuses(_ field: String, _ value: String) throws {
        let id = field == "client_id" ? "" : "\"client_id\":\"mt5\","
        var reader = try self.reader("{\(id)\"\(field)\":\(value)}")
        _ = ServiceClientFields.client(&reader)
        #expect(reader.problems.map(\.field) == [field])
        #expect(reader.problems.first?.detail.isEmpty == false)
    }

    @Test("A private key or a curve that is not accepted is said to be the reason")
    func reasons() throws {
        let p384 = try SigningKey.generate(.es384).publicJWK(kid: "x").serialized()
        for (set, reason) in [
            (Self.keys.replacing("}]}", with: ",\"d\":\"AAAA\"}]}"), "private member d"),
            ("{\"keys\":[\(p384)]}", "RS256, PS256, ES256, EdDSA"),
            ("{\"keys\":[\(Array(repeating: "1", count: 2).joined(separator: ","))]}", "key 1 cannot be used"),
        ] {
            var reader = try self.reader("{\"client_id\":\"mt5\",\"jwks\":\(set)}")
            _ = ServiceClientFields.client(&reader)
            #expect(reader.problems.first?.detail.contains(reason) == true)
        }
    }

    @Test("All that is wrong is named at once, also that the name is missing")
    func together() throws {
        var reader = try self.reader(#"{"is_active":1,"scope_ids":"x","surprise":true,"access_token_lifetime":1}"#)
        _ = ServiceClientFields.client(&reader)
        let problem = #expect(throws: Problem.self) { try reader.finish() }
        #expect(problem?.status == .unprocessableContent)
        #expect(
            Set(problem?.errors.compactMap { $0["field"]?.string } ?? [])
                == ["client_id", "is_active", "scope_ids", "surprise", "access_token_lifetime"])
    }

    @Test("A change sets what it names, says so, and leaves the rest")
    func change() throws {
        let old = ServiceClient(
            clientID: "mt5", description: "d", allowedAddresses: AddressBlock.loopback, scopes: ["a"],
            keySet: Self.keys)
        var reader = try self.reader(
            #"{"allowed_ips":null,"jwks":null,"is_active":false,"rate_limit_per_hour":7,"client_type":"confidential"}"#,
            ServiceClientFields.changeable)
        let change = ServiceClientFields.change(&reader)
        try reader.finish()
        var new = old
        change.apply(&new)
        var expected = old
        (expected.allowedAddresses, expected.keySet, expected.isActive) = ([], nil, false)
        expected.rateLimits.perHour = 7
        #expect(new == expected)
        #expect(
            Set(change.fields) == ["allowed_ips", "jwks", "is_active", "rate_limit_per_hour", "client_type"])
    }

    @Test("A change without fields is empty; the name cannot be changed")
    func fixed() throws {
        var reader = try self.reader("{}", ServiceClientFields.changeable)
        let change = ServiceClientFields.change(&reader)
        #expect(change.isEmpty)
        #expect(try self.reader(#"{"client_id":"x"}"#, ServiceClientFields.changeable).problems.count == 1)
    }

    @Test("A client as JSON has every field that can be written, its times, and no secret")
    func json() throws {
        var client = ServiceClient(clientID: "mt5", allowedAddresses: AddressBlock.loopback, keySet: Self.keys)
        (client.createdAt, client.updatedAt) = (0, 1_760_000_000)
        let json = client.json
        #expect(client.members.map(\.0) == ServiceClientFields.all + ["created_at", "updated_at"])
        #expect(json["allowed_ips"]?.string == "127.0.0.0/8,::1")
        #expect(json["jwks"]?.serialized() == Self.keys)
        #expect(json["created_at"]?.string == "1970-01-01T00:00:00Z")
        #expect(json["updated_at"]?.string == "2025-10-09T08:53:20Z")
        client.keySet = nil
        #expect(client.json["jwks"] == .null)
    }
}
