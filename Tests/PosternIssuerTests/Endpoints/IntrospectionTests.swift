import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct IntrospectionTests {
    private static let path = "/auth/introspect"

    private static func ask(_ client: any TestClientProtocol, _ token: String) async throws -> TestResponse {
        try await client.send(.post, self.path, "{\"token\":\"\(token)\"}", bearer: TestIssuer.serviceKey)
    }

    private static func logIn(_ test: TestIssuer) async throws -> IssuedSession {
        let client = InvalidToken.client
        try await test.register(client.id, secret: client.secret, scopes: [])
        try await test.addServiceKey()
        return try await test.login(client: client)
    }

    @Test("A user's token says who he is now: a change shows at once")
    func valid() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser("ann", "\"roles\":[\"trader\"],\"permissions\":[\"trade:read\"]")
        let session = try await Self.logIn(test)
        try await test.serve { client in
            let response = try await Self.ask(client, session.accessToken)
            #expect(response.status == .ok)
            #expect(response.headers[.cacheControl] == "no-store")
            #expect(
                String(buffer: response.body)
                    == """
                    {"valid":true,"user_id":"\(user.id)","username":"ann","is_admin":false,"roles":["trader"],\
                    "permissions":["trade:read"]}
                    """)
            try await test.change(user, "{\"permissions\":[\"trade:open\"],\"roles\":[],\"is_admin\":true}")
            let changed = try await Self.ask(client, session.accessToken)
            #expect(
                String(buffer: changed.body)
                    == """
                    {"valid":true,"user_id":"\(user.id)","username":"ann","is_admin":true,"roles":[],\
                    "permissions":["trade:open"]}
                    """)
        }
        #expect(!test.auditLines.text.contains("token.introspect"))
        let everything = test.log.text + test.auditLines.text
        #expect(!everything.contains(session.accessToken))
        #expect(!everything.contains(TestIssuer.serviceKey))
    }

    @Test("A token that is worth nothing", arguments: InvalidToken.allCases)
    func invalid(_ kind: InvalidToken) async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        let session = try await Self.logIn(test)
        try await test.serve { client in
            let before = try await Self.ask(client, session.accessToken)
            #expect(try before.json["valid"] == .bool(true))
            let token = try await kind.make(user, session, test)
            let response = try await Self.ask(client, token)
            #expect(response.status == .ok)
            #expect(String(buffer: response.body) == "{\"valid\":false}")
        }
        #expect(test.log.text.contains("\"reason\": \(kind.reason)]"))
    }

    @Test(
        "Requests that are wrong",
        arguments: [("{}", 422), ("{\"token\":\"\"}", 422), ("{\"token\":1}", 422), ("", 400)])
    func wrong(_ body: String, _ status: Int) async throws {
        let test = try await TestIssuer()
        try await test.addServiceKey()
        try await test.serve { client in
            let response = try await client.send(.post, Self.path, body, bearer: TestIssuer.serviceKey)
            #expect(response.status.code == status)
        }
    }

    @Test("A key that is unknown, revoked or none is refused before the token is looked at")
    func badKey() async throws {
        let test = try await TestIssuer()
        try await test.addUser()
        let session = try await Self.logIn(test)
        try await test.issuer.store.revokeServiceKey(named: "mt5", now: 1000, audit: .test)
        let keys = [
            nil, TestIssuer.serviceKey, "hsk_" + String(repeating: "x", count: 43), session.accessToken, "hsk_",
        ]
        try await test.serve { client in
            for key in keys {
                let response = try await client.send(
                    .post, Self.path, "{\"token\":\"\(session.accessToken)\"}", bearer: key)
                #expect(response.status == .unauthorized)
                #expect(response.headers[.contentType] == "application/problem+json")
                #expect(response.headers[.wwwAuthenticate]?.hasPrefix("Bearer realm=\"postern-issuer\"") == true)
            }
        }
        let refused = "\"action\":\"token.introspect\",\"allowed\":false,\"reason\":\"invalid_service_key\""
        #expect(test.auditLines.text.contains(refused))
    }
}
