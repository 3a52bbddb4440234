import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PosternCore
import Testing

@testable import PosternIssuer

/// One request and what it must be answered with.
struct TokenRow: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var path = "/oauth/token"
    var body: String
    var type = "application/x-www-form-urlencoded"
    var authorization: [String] = []
    var status: Int
    var error: String
    var challenge = false
}

@Suite struct TokenEndpointTests {
    private static let service = "/api/v1/auth/service-token"
    private static let grant = "grant_type=client_credentials"

    private static func basic(_ text: String) -> String {
        "Basic " + Data(text.utf8).base64EncodedString()
    }

    private static let right = Self.basic("trading-dashboard:\(TestIssuer.dashboardSecret)")

    static let refusals = [
        TokenRow(testDescription: "no grant type", body: "a=b", status: 400, error: "invalid_request"),
        TokenRow(testDescription: "empty body", body: "", status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "another grant", body: "grant_type=password", authorization: [right], status: 400,
            error: "unsupported_grant_type"),
        TokenRow(
            testDescription: "grant type twice", body: "\(grant)&\(grant)", authorization: [right], status: 400,
            error: "invalid_request"),
        TokenRow(
            testDescription: "no authentication", body: grant, status: 401, error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "client_id alone", body: "\(grant)&client_id=trading-dashboard", status: 401,
            error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "wrong secret by Basic", body: grant, authorization: [basic("trading-dashboard:wrong")],
            status: 401, error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "unknown client by Basic", body: grant, authorization: [basic("nobody:wrong")],
            status: 401, error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "Basic without a colon", body: grant, authorization: [basic("trading-dashboard")],
            status: 401, error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "Basic with an empty name", body: grant, authorization: [basic(":x")], status: 401,
            error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "Basic that is not base64", body: grant, authorization: ["Basic %%%"], status: 401,
            error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "Basic with a broken escape", body: grant, authorization: [basic("a%zz:b")], status: 401,
            error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "another scheme", body: grant, authorization: ["Bearer abc"], status: 401,
            error: "invalid_client", challenge: true),
        TokenRow(
            testDescription: "two Authorization headers", body: grant, authorization: [right, right], status: 400,
            error: "invalid_request"),
        TokenRow(
            testDescription: "Basic and form secret", body: "\(grant)&\(TestIssuer.form())", authorization: [right],
            status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "Basic with another client_id in the form", body: "\(grant)&client_id=mt5-api-service",
            authorization: [right], status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "wrong secret in the form",
            body: "\(grant)&client_id=trading-dashboard&client_secret=wrong", status: 401, error: "invalid_client"),
        TokenRow(
            testDescription: "an over-long secret",
            body: "\(grant)&client_id=trading-dashboard&client_secret=\(String(repeating: "x", count: 1025))",
            status: 401, error: "invalid_client"),
        TokenRow(
            testDescription: "an assertion that is none",
            body: "\(grant)&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                + "&client_assertion=a.b.c", status: 401, error: "invalid_client"),
        TokenRow(
            testDescription: "an assertion of another type",
            body: "\(grant)&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
                + "&client_assertion=a.b.c", status: 401, error: "invalid_client"),
        TokenRow(
            testDescription: "the type of an assertion without one",
            body: "\(grant)&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            status: 401, error: "invalid_client"),
        TokenRow(
            testDescription: "an assertion and Basic",
            body: "\(grant)&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                + "&client_assertion=a.b.c", authorization: [right], status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "an assertion and a secret in the form",
            body: "\(grant)&\(TestIssuer.form())&client_assertion=a.b.c", status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "JSON at the standard endpoint", body: "{\"grant_type\":\"client_credentials\"}",
            type: "application/json", authorization: [right], status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "another content type", body: grant, type: "text/plain", authorization: [right],
            status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "a scope the client does not have", body: "\(grant)&scope=admin:system",
            authorization: [right], status: 400, error: "invalid_scope"),
        TokenRow(
            testDescription: "a malformed scope", body: "\(grant)&scope=%22", authorization: [right], status: 400,
            error: "invalid_scope"),
        TokenRow(
            testDescription: "a body over the limit", body: String(repeating: "a", count: 16 * 1024 + 1), status: 413,
            error: "invalid_request"),
        TokenRow(
            testDescription: "service-token without client_id", path: service, body: "client_secret=x", status: 400,
            error: "invalid_request"),
        TokenRow(
            testDescription: "service-token without client_secret", path: service, body: "client_id=x", status: 400,
            error: "invalid_request"),
        TokenRow(
            testDescription: "service-token with a wrong secret", path: service,
            body: "client_id=trading-dashboard&client_secret=wrong", status: 401, error: "invalid_client"),
        TokenRow(
            testDescription: "service-token for an unknown client", path: service,
            body: "client_id=nobody&client_secret=wrong", status: 401, error: "invalid_client"),
        TokenRow(
            testDescription: "service-token with client_id twice", path: service, body: TestIssuer.form("&client_id=x"),
            status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "service-token with a scope the client does not have", path: service,
            body: TestIssuer.form("&scope=trade:close"), status: 400, error: "invalid_scope"),
        TokenRow(
            testDescription: "service-token with broken JSON", path: service, body: "{", type: "application/json",
            status: 400, error: "invalid_request"),
        TokenRow(
            testDescription: "service-token from outside allowed_ips", path: service,
            body: "client_id=mt5-api-service&client_secret=\(TestIssuer.serviceSecret)", status: 403,
            error: "access_denied"),
    ]

    @Test("A request is refused in the RFC 6749 form", arguments: Self.refusals)
    func refuses(_ row: TokenRow) async throws {
        try await TestIssuer().serve { client in
            var headers: HTTPFields = [.contentType: row.type]
            for value in row.authorization { headers.append(HTTPField(name: .authorization, value: value)) }
            let response = try await client.post(row.path, row.body, headers)
            #expect(response.status.code == row.status)
            #expect(try response.json["error"]?.string == row.error)
            #expect(try response.json["error_description"]?.string?.isEmpty == false)
            #expect((response.headers[.wwwAuthenticate] != nil) == row.challenge)
            #expect(response.headers[.contentType] == "application/json")
            #expect(response.headers[.cacheControl] == "no-store")
        }
    }

    @Test(
        "A request is answered with a token",
        arguments: [
            (service, TestIssuer.form(), "application/x-www-form-urlencoded", nil),
            (service, TestIssuer.form("&scope="), "application/x-www-form-urlencoded; charset=UTF-8", nil),
            (
                service,
                "{\"client_id\":\"trading-dashboard\",\"client_secret\":\"\(TestIssuer.dashboardSecret)\",\"scope\":null}",
                "application/json", nil
            ),
            ("/oauth/token", "\(grant)&\(TestIssuer.form())", "Application/X-WWW-Form-Urlencoded", nil),
            ("/oauth/token", grant, "application/x-www-form-urlencoded", right),
            (
                "/oauth/token", "\(grant)&client_id=trading-dashboard", "application/x-www-form-urlencoded",
                right.replacing("Basic ", with: "basic  ")
            ),
            ("/oauth/token", "\(grant)&unknown=1&unknown2=", "application/x-www-form-urlencoded", right),
        ] as [(String, String, String, String?)])
    func issues(_ path: String, _ body: String, _ type: String, _ authorization: String?) async throws {
        try await TestIssuer().serve { client in
            var headers: HTTPFields = [.contentType: type]
            headers[.authorization] = authorization
            let response = try await client.post(path, body, headers)
            #expect(response.status == .ok)
            let json = try response.json
            #expect(json["token_type"]?.string == "Bearer")
            #expect(json["expires_in"] == .integer(1800))
            #expect(
                json["scope"]?.string == "read:profile write:profile trade:read trade:open account:read market:data")
            #expect(json["access_token"]?.string?.split(separator: ".").count == 3)
            #expect(response.headers[.cacheControl] == "no-store")
        }
    }

    @Test("Basic credentials are form-encoded before base64, as RFC 6749 section 2.3.1 says")
    func basicEncoding() throws {
        let credentials = try ClientCredentials.find(
            in: [.authorization: Self.basic("a%3Ab+c:d%25:e")], try FormBody(form: []))
        #expect(credentials == .secret(clientID: "a:b c", secret: "d%:e", usedBasic: true))
    }

    @Test("Over the limit: 429 with Retry-After, and again 200 when the minute is over")
    func rateLimit() async throws {
        let test = try await TestIssuer()
        try await test.serve { client in
            for _ in 0..<120 {
                let status = try await client.post(Self.service, TestIssuer.form()).status
                #expect(status == .ok)
            }
            test.clock.advance(by: 15)
            let refused = try await client.post(Self.service, TestIssuer.form())
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers[.retryAfter] == "45")
            #expect(try refused.json["error"]?.string == "slow_down")
            test.clock.advance(by: 45)
            let again = try await client.post(Self.service, TestIssuer.form())
            #expect(again.status == .ok)
        }
    }

    @Test("Over a real connection, loopback is inside the reference client's allowed_ips")
    func loopback() async throws {
        try await TestIssuer().serve(.live) { client in
            let response = try await client.post(
                Self.service,
                "client_id=mt5-api-service&client_secret=\(TestIssuer.serviceSecret)&scope=trade:open")
            #expect(response.status == .ok)
            #expect(try response.json["scope"]?.string == "trade:open")
            #expect(try response.json["expires_in"] == .integer(3600))
        }
    }

    @Test("No secret, token or pepper is in any log line at any level")
    func logs() async throws {
        let test = try await TestIssuer()
        let wrong = "wrong-secret-that-a-client-sent"
        try await test.serve(.live) { client in
            let issued = try await client.post(Self.service, TestIssuer.form())
            let token = try #require(try issued.json["access_token"]?.string)
            _ = try await client.post(Self.service, "client_id=evil%0Aname&client_secret=\(wrong)")
            _ = try await client.post("/oauth/token", Self.grant, [.authorization: Self.right])
            _ = try await client.post(Self.service, TestIssuer.form("&scope=nope"))
            let log = test.log.text
            #expect(log.contains("token issued") && log.contains("trading-dashboard"))
            #expect(log.contains("token refused") && log.contains("invalid_scope"))
            for secret in [token, TestIssuer.dashboardSecret, wrong, Self.right, "evil"] {
                #expect(!log.contains(secret))
            }
        }
    }
}
