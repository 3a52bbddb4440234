import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct OAuthIntrospectionTests {
    private static let path = "/oauth/introspect"
    private static let key: HTTPFields = [.authorization: "Bearer \(TestIssuer.serviceKey)"]

    private static func ask(_ client: any TestClientProtocol, _ token: String) async throws -> TestResponse {
        try await client.post(self.path, "token=\(token)", self.key)
    }

    private static func logIn(_ test: TestIssuer) async throws -> IssuedSession {
        let client = InvalidToken.client
        try await test.register(client.id, secret: client.secret, scopes: [])
        try await test.addServiceKey()
        return try await test.login(client: client)
    }

    @Test("A client's token, asked by a client in each way, and by a service")
    func client() async throws {
        let test = try await TestIssuer()
        try await test.addServiceKey()
        let token = try await test.token()
        let basic = Data("trading-dashboard:\(TestIssuer.dashboardSecret)".utf8).base64EncodedString()
        try await test.serve { client in
            let expected = """
                {"active":true,"iss":"http://issuer.test","sub":"trading-dashboard","aud":"mt5-api","exp":1760001800,\
                "iat":1760000000,"jti":"\(token.identifier)","client_id":"trading-dashboard",\
                "scope":"read:profile write:profile trade:read trade:open account:read market:data",\
                "token_type":"Bearer","is_trusted":false,"scopes":["read:profile","write:profile","trade:read",\
                "trade:open","account:read","market:data"]}
                """
            for (form, headers) in [
                (TestIssuer.form("&"), HTTPFields()), ("token_type_hint=refresh_token&", [.authorization: "Basic \(basic)"]),
                ("", Self.key),
            ] {
                let response = try await client.post(Self.path, form + "token=\(token.text)", headers)
                #expect(response.status == .ok)
                #expect(response.headers[.cacheControl] == "no-store")
                #expect(String(buffer: response.body) == expected)
            }
        }
        #expect(!test.log.text.contains(token.text))
        #expect(!test.auditLines.text.contains("token.introspect"))
    }

    @Test("A user's token has roles and permissions of now")
    func user() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser("ann", "\"permissions\":[\"trade:read\"]")
        let session = try await Self.logIn(test)
        try await test.change(user, "{\"permissions\":[\"trade:open\"],\"roles\":[\"r\"],\"is_admin\":true}")
        try await test.serve { client in
            let response = try await Self.ask(client, session.accessToken)
            #expect(
                String(buffer: response.body)
                    == """
                    {"active":true,"iss":"http://issuer.test","sub":"\(user.id)","aud":"mt5-api","exp":1760000900,\
                    "iat":1760000000,"jti":"\(session.accessTokenID)","client_id":"app","scope":"trade:open",\
                    "token_type":"Bearer","is_trusted":false,"scopes":["trade:open"],"username":"ann","is_admin":true,\
                    "roles":["r"],"permissions":["trade:open"]}
                    """)
        }
    }

    @Test("A scope that was taken from a client is not told any more")
    func lostScope() async throws {
        let test = try await TestIssuer()
        try await test.addServiceKey()
        let token = try await test.token()
        _ = try await test.issuer.store.changeClient("trading-dashboard", now: 0, audit: .test) {
            ($0.scopes, $0.isTrusted) = (["trade:read", "trade:close"], true)
        }
        try await test.serve { client in
            let response = try await Self.ask(client, token.text)
            #expect(try response.json["scope"] == .string("trade:read"))
            #expect(try response.json["is_trusted"] == .bool(true))
        }
    }

    @Test(
        "A token that is worth nothing",
        arguments: InvalidToken.allCases.filter { $0 != .clientToken && $0 != .refreshToken })
    func inactive(_ kind: InvalidToken) async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        let session = try await Self.logIn(test)
        try await test.serve { client in
            let before = try await Self.ask(client, session.accessToken)
            #expect(try before.json["active"] == .bool(true))
            let token = try await kind.make(user, session, test)
            let response = try await Self.ask(client, token)
            #expect(response.status == .ok)
            #expect(String(buffer: response.body) == "{\"active\":false}")
        }
    }

    @Test("A refresh token is active for services and for its own client, until it is used")
    func refreshToken() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        let session = try await Self.logIn(test)
        try await test.serve { client in
            let token = session.refreshToken
            let expected = """
                {"active":true,"sub":"\(user.id)","client_id":"app","exp":1760086400,"iat":1760000000,\
                "token_type":"refresh_token"}
                """
            let app = "client_id=app&client_secret=\(InvalidToken.client.secret)&token=\(token)"
            let service = try await Self.ask(client, token)
            #expect(String(buffer: service.body) == expected)
            let own = try await client.post(Self.path, app)
            #expect(String(buffer: own.body) == expected)
            let other = try await client.post(Self.path, TestIssuer.form("&token=\(token)"))
            #expect(String(buffer: other.body) == "{\"active\":false}")
            let unknown = try await Self.ask(client, "hrt_" + String(repeating: "A", count: 43))
            #expect(String(buffer: unknown.body) == "{\"active\":false}")
            _ = try await client.send(.post, "/auth/refresh", "{\"refresh_token\":\"\(token)\"}")
            let used = try await Self.ask(client, token)
            #expect(String(buffer: used.body) == "{\"active\":false}")
        }
    }

    @Test("A refresh token ends with its time, and with its holder", arguments: [true, false])
    func refreshTokenEnds(_ byTime: Bool) async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        let session = try await Self.logIn(test)
        if byTime {
            test.clock.advance(by: 86400)
        } else {
            try await test.change(user, "{\"email_verified\":false}")
        }
        try await test.serve { client in
            let response = try await Self.ask(client, session.refreshToken)
            #expect(String(buffer: response.body) == "{\"active\":false}")
        }
    }

    static let refusals: [(form: String, authorization: String?, status: Int, error: String, challenge: String?)] = [
        ("token=x", nil, 401, "invalid_client", "Basic"),
        ("token=x&client_id=trading-dashboard&client_secret=wrong", nil, 401, "invalid_client", nil),
        ("token=x", "Bearer hsk_wrong", 401, "invalid_client", "Bearer"),
        ("token=x&client_secret=y", "Bearer \(TestIssuer.serviceKey)", 400, "invalid_request", nil),
        ("", "Bearer \(TestIssuer.serviceKey)", 400, "invalid_request", nil),
        ("token=x&token=y", "Bearer \(TestIssuer.serviceKey)", 400, "invalid_request", nil),
    ]

    @Test("Whoever may not ask, or asks wrong", arguments: Self.refusals.indices)
    func refuses(_ index: Int) async throws {
        let row = Self.refusals[index]
        let test = try await TestIssuer()
        try await test.addServiceKey()
        try await test.serve { client in
            let headers: HTTPFields = row.authorization.map { [.authorization: $0] } ?? [:]
            let response = try await client.post(Self.path, row.form, headers)
            #expect(response.status.code == row.status)
            #expect(try response.text("error") == row.error)
            #expect(response.headers[.wwwAuthenticate]?.split(separator: " ").first.map(String.init) == row.challenge)
        }
        let isAudited = row.status == 401 && row.challenge != "Basic"
        #expect(test.auditLines.text.contains("\"action\":\"token.introspect\",\"allowed\":false") == isAudited)
    }
}
