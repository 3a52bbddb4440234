import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

/// Who may revoke what of a user's (RFC 7009).
@Suite struct UserRevocationTests {
    private static let path = "/oauth/revoke"
    private static let secret = "other-secret-0123456789-0123456789"
    private static let app = "client_id=app&client_secret=\(InvalidToken.client.secret)&"
    private static let other = "client_id=other&client_secret=\(secret)&"
    private static let admin = "client_id=admin&client_secret=\(TestIssuer.adminSecret)&"
    private static let service: HTTPFields = [.authorization: "Bearer \(TestIssuer.serviceKey)"]

    private static func prepare() async throws -> (test: TestIssuer, session: IssuedSession, user: User) {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        _ = try await test.adminToken(["admin:clients"])
        try await test.register("app", secret: InvalidToken.client.secret, scopes: [])
        try await test.register("other", secret: self.secret, scopes: ["admin:system"])
        try await test.addServiceKey()
        return (test, try await test.login(client: InvalidToken.client), user)
    }

    @Test("Its own client, an administrator and a service revoke a user's access token", arguments: [app, admin, ""])
    func accessToken(_ form: String) async throws {
        let (test, session, _) = try await Self.prepare()
        try await test.serve { client in
            let response = try await client.post(
                Self.path, form + "token=\(session.accessToken)", form.isEmpty ? Self.service : [:])
            #expect(response.status == .ok)
        }
        #expect(try await test.revocations() == ["{\"jti\":\"\(session.accessTokenID)\"}"])
        let target = "\"target\":\"token:\(session.accessTokenID)\""
        #expect(test.auditLines.text.contains(target))
    }

    @Test("And a refresh token: its session and the access tokens of it end", arguments: [app, admin, ""])
    func refreshToken(_ form: String) async throws {
        let (test, session, user) = try await Self.prepare()
        let second = try await test.issuer.people.sessions.refresh(
            session.refreshToken, issuer: TestIssuer.url, audit: .test)
        try await test.serve { client in
            for _ in 0..<2 {
                let response = try await client.post(
                    Self.path, form + "token=\(second.refreshToken)&token_type_hint=refresh_token",
                    form.isEmpty ? Self.service : [:])
                #expect(response.status == .ok)
                #expect(response.body.readableBytes == 0)
            }
            let refresh = try await client.send(
                .post, "/auth/refresh", "{\"refresh_token\":\"\(second.refreshToken)\"}")
            #expect(refresh.status == .unauthorized)
        }
        let expected = [session.accessTokenID, second.accessTokenID].map { "{\"jti\":\"\($0)\"}" }
        #expect(Set(try await test.revocations()) == Set(expected))
        #expect(test.auditLines.text.contains("\"action\":\"token.revoke\",\"allowed\":true"))
        #expect(test.auditLines.text.contains("\"target\":\"user:\(user.id)\""))
        #expect(!test.log.text.contains(second.refreshToken))
    }

    @Test("Another client does not, nor a service a client's own token")
    func refuses() async throws {
        let (test, session, _) = try await Self.prepare()
        let own = try await test.token().text
        try await test.serve { client in
            for (form, headers) in [
                (Self.other + "token=\(session.accessToken)", HTTPFields()),
                (Self.other + "token=\(session.refreshToken)", HTTPFields()), ("token=\(own)", Self.service),
            ] {
                let response = try await client.post(Self.path, form, headers)
                #expect(response.status == .badRequest)
                #expect(try response.text("error") == "invalid_grant")
            }
        }
        #expect(try await test.revocations().isEmpty)
        let refused = test.auditLines.text.split(separator: "\n").filter { $0.contains("issued_to_another") }
        #expect(refused.count == 3)
        #expect(refused.allSatisfy { $0.contains("\"allowed\":false") })
    }

    @Test(
        "A refresh token that is none is ignored",
        arguments: ["hrt_", "hrt_x", "hrt_" + String(repeating: "A", count: 43)])
    func unknown(_ token: String) async throws {
        let (test, _, _) = try await Self.prepare()
        try await test.serve { client in
            let response = try await client.post(Self.path, Self.app + "token=\(token)")
            #expect(response.status == .ok)
        }
        #expect(try await test.revocations().isEmpty)
        #expect(test.log.text.contains("revocation ignored"))
    }

    @Test("An unknown service key is refused")
    func badKey() async throws {
        let (test, session, _) = try await Self.prepare()
        try await test.serve { client in
            let response = try await client.post(
                Self.path, "token=\(session.accessToken)", [.authorization: "Bearer hsk_x"])
            #expect(response.status == .unauthorized)
            #expect(try response.text("error") == "invalid_client")
        }
        #expect(test.auditLines.text.contains("\"action\":\"token.revoke\",\"allowed\":false"))
    }
}
