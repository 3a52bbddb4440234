import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct RevocationEndpointTests {
    private static let path = "/oauth/revoke"
    private static let otherSecret = "other-secret-0123456789-0123456789"

    private static let basic: HTTPFields = [
        .authorization: "Basic "
            + Data("trading-dashboard:\(TestIssuer.dashboardSecret)".utf8).base64EncodedString()
    ]

    @Test(
        "A client revokes its own token, by either way to authenticate, and whatever the hint says",
        arguments: [
            (true, ""), (false, ""), (true, "&token_type_hint=refresh_token"), (true, "&token_type_hint=nonsense"),
            (true, "&unknown=1"),
        ])
    func revokes(_ usesBasic: Bool, _ more: String) async throws {
        let test = try await TestIssuer()
        let token = try await test.token()
        try await test.serve { client in
            let form = usesBasic ? "token=\(token.text)\(more)" : TestIssuer.form("&token=\(token.text)\(more)")
            let response = try await client.post(Self.path, form, usesBasic ? Self.basic : [:])
            #expect(response.status == .ok)
            #expect(response.body.readableBytes == 0)
            #expect(response.headers[.cacheControl] == "no-store")
        }
        let stored = try await test.issuer.store.unpublishedRevocations(now: 0, limit: 9)
        #expect(stored.map(\.member) == ["{\"jti\":\"\(token.identifier)\"}"])
        #expect(stored.map(\.until) == [1_760_000_000 + 1800 + 300])
        #expect(test.log.text.contains("token revoked"))
        #expect(test.log.text.contains(token.identifier))
        #expect(!test.log.text.contains(token.text))
    }

    @Test("A second time changes nothing")
    func twice() async throws {
        let test = try await TestIssuer()
        let token = try await test.token()
        try await test.serve { client in
            for _ in 0..<2 {
                let status = try await client.post(Self.path, "token=\(token.text)", Self.basic).status
                #expect(status == .ok)
            }
        }
        #expect(try await test.revocations().count == 1)
    }

    static let refusals = [
        TokenRow(testDescription: "no authentication", body: "", status: 401, error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "a wrong secret", body: "&client_id=trading-dashboard&client_secret=wrong", status: 401,
            error: "invalid_client"),
        TokenRow(
            testDescription: "an unknown client", body: "&client_id=nobody&client_secret=wrong", status: 401,
            error: "invalid_client"),
        TokenRow(
            testDescription: "from outside allowed_ips",
            body: "&client_id=mt5-api-service&client_secret=\(TestIssuer.serviceSecret)", status: 403,
            error: "access_denied"),
        TokenRow(
            testDescription: "another client's token", body: "&client_id=other&client_secret=\(otherSecret)",
            status: 400, error: "invalid_grant"),
        TokenRow(
            testDescription: "a parameter twice",
            body: "&" + TestIssuer.form("&token=x"),
            status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "JSON", body: "", type: "application/json", status: 400, error: "invalid_request"),
    ]

    @Test("A request is refused in the RFC 6749 form, and nothing is revoked", arguments: Self.refusals)
    func refuses(_ row: TokenRow) async throws {
        let test = try await TestIssuer()
        try await test.register("other", secret: Self.otherSecret, scopes: ["admin:system"])
        let token = try await test.token()
        try await test.serve { client in
            let response = try await client.post(
                Self.path, "token=\(token.text)\(row.body)", [.contentType: row.type])
            #expect(response.status.code == row.status)
            #expect(try response.json["error"]?.string == row.error)
            #expect(try response.json["error_description"]?.string?.isEmpty == false)
            #expect((response.headers[.wwwAuthenticate] != nil) == row.challenge)
            #expect(response.headers[.cacheControl] == "no-store")
        }
        #expect(try await test.revocations().isEmpty)
        #expect(!test.log.text.contains(token.text))
    }

    @Test("A request without a token is refused", arguments: ["", "token=", "token_type_hint=access_token"])
    func missingToken(_ form: String) async throws {
        try await TestIssuer().serve { client in
            let response = try await client.post(Self.path, form, Self.basic)
            #expect(response.status == .badRequest)
            #expect(try response.json["error"]?.string == "invalid_request")
        }
    }

    @Test("An administrator revokes the token of any client")
    func administrator() async throws {
        let test = try await TestIssuer()
        try await test.register("other", secret: Self.otherSecret, scopes: ["admin:clients"])
        let token = try await test.token()
        try await test.serve { client in
            let form = "client_id=other&client_secret=\(Self.otherSecret)&token=\(token.text)"
            let status = try await client.post(Self.path, form).status
            #expect(status == .ok)
        }
        #expect(try await test.revocations().count == 1)
    }

    @Test("What is no token of this issuer is answered alike, and nothing is revoked")
    func ignores() async throws {
        let test = try await TestIssuer()
        let token = try await test.token().text
        let foreign = try await TestIssuer().token().text
        let parts = token.split(separator: ".").map(String.init)
        let unsigned = Base64URL.encode(Array("{\"alg\":\"none\",\"typ\":\"at+jwt\"}".utf8))
        let untyped = JSONValue.record([("alg", .string("ES256")), ("kid", .string(test.issuer.keys.signer.kid))])
        let key = test.issuer.keys.signer.key
        let input = Base64URL.encode(Array(untyped.serialized().utf8)) + "." + parts[1]
        let notAccess = input + "." + Base64URL.encode(try key.sign(Array(input.utf8)))
        let elsewhere = try await test.issuer.tokens.issue(
            TokenRequest(.secret(clientID: "trading-dashboard", secret: TestIssuer.dashboardSecret)),
            issuer: "http://else.test")
        let tokens = [
            "rubbish", "a.b.c", "..", foreign, parts[0] + "." + parts[1] + ".", parts[0] + "." + parts[1] + ".AAAA",
            "\(unsigned).\(parts[1]).", notAccess, elsewhere.text, token + "x", String(repeating: "a", count: 12_000),
        ]
        try await test.serve { client in
            for text in tokens {
                let response = try await client.post(Self.path, "token=\(text)", Self.basic)
                #expect(response.status == .ok, "\(text)")
                #expect(response.body.readableBytes == 0)
            }
        }
        #expect(try await test.revocations().isEmpty)
        #expect(test.log.text.contains("revocation ignored"))
    }

    @Test(
        "A token is revoked as long as a proxy with a large leeway may take it, and ignored after that",
        arguments: [(1800.0, true), (2099, true), (2100, false)])
    func expired(_ age: Double, _ isRevoked: Bool) async throws {
        let test = try await TestIssuer()
        let token = try await test.token()
        test.clock.advance(by: age)
        try await test.serve { client in
            let status = try await client.post(Self.path, "token=\(token.text)", Self.basic).status
            #expect(status == .ok)
        }
        #expect(try await test.issuer.store.unpublishedRevocations(now: 0, limit: 9).count == (isRevoked ? 1 : 0))
    }

    @Test("Tokens signed before a change of algorithm can be revoked")
    func otherAlgorithm() async throws {
        let folder = try TemporaryFolder()
        let token = try await TestIssuer(folder: folder, algorithm: .eddsa).token()
        let test = try await TestIssuer(folder: folder, algorithm: .rs256)
        try await test.serve { client in
            let status = try await client.post(Self.path, "token=\(token.text)", Self.basic).status
            #expect(status == .ok)
        }
        #expect(try await test.revocations() == ["{\"jti\":\"\(token.identifier)\"}"])
    }

    @Test("A store that fails is 500: only what is durable is acknowledged")
    func storeFails() async throws {
        let test = try await TestIssuer()
        let token = try await test.token()
        try await test.issuer.store.script("DROP TABLE revocation")
        try await test.serve { client in
            let response = try await client.post(Self.path, "token=\(token.text)", Self.basic)
            #expect(response.status == .internalServerError)
            #expect(try response.json["code"]?.string == "internal_error")
        }
        #expect(!test.log.text.contains(token.text))
    }
}
