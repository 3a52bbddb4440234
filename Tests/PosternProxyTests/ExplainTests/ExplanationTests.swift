import Foundation
import PosternCore
import Testing

@testable import PosternProxy

/// What `explain` prints, whole, for one request each: Tests/Fixtures/explain/NAME.txt.
@Suite struct ExplanationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var method = "GET"
        var path: String
        var headers: [String] = []
        /// The name of a token in tokens.json.
        var token: String?
        var claims: String?
        var exitCode = ExitStatus.negative
        var testDescription: String { self.name }
    }

    static let allowed: [Case] = [
        Case(name: "public-with-spoofed-headers", path: "/health", headers: ["X_User_Id: root", "X-Auth-Token: x"]),
        Case(name: "public-with-a-token", path: "/health", token: "expired"),
        Case(
            name: "websocket", path: "/api/v1/trades",
            headers: [
                "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version: 13",
            ], token: "good"),
        Case(
            name: "upgrade-that-no-route-names", path: "/health", headers: ["Connection: upgrade", "Upgrade: tcp"]),
        Case(name: "optional-without-token", path: "/news"),
        Case(name: "optional-with-token", path: "/news", token: "good"),
        Case(name: "good-token", path: "/api/v1/trades?limit=5&secret=s3", token: "good"),
        Case(name: "token-of-a-pem-key", path: "/api/v1/trades", token: "pem"),
        Case(name: "token-of-fetched-keys", path: "/api/v1/trades", token: "remote"),
        Case(name: "head-by-get", method: "HEAD", path: "/api/v1/trades", token: "good"),
        Case(name: "whole-url", path: "http://mt5.test:8080/api/v1/trades", token: "good"),
        Case(
            name: "claims-of-the-path", path: "/api/v1/users/u1/orders",
            claims: #"{"sub": "u1", "scope": "trade:read"}"#),
        Case(
            name: "an-admin", path: "/api/v1/admin/stats",
            claims: #"{"sub": "root", "is_admin": true, "is_trusted": false}"#),
        Case(
            name: "forwarded-token-and-other-upstream", method: "POST", path: "/api/v1/orders",
            headers: ["Content-Length: 20", "Cookie: session=s3cr3t", "X-Request-Id: abc-1"],
            claims: #"{"sub": "u1", "scope": "order:open"}"#),
        Case(name: "authenticated-only", method: "PUT", path: "/api/v1/profile", claims: "{}"),
    ]

    static let denied: [Case] = [
        Case(name: "malformed-request", path: "/health", headers: ["X-A : b"]),
        Case(name: "method-in-lower-case", method: "get", path: "/health"),
        Case(name: "encoded-slash", path: "/api%2Fv1"),
        Case(name: "other-host-than-the-url", path: "http://a.test/health", headers: ["Host: b.test"]),
        Case(name: "slash-too-many", path: "/api/v1/trades/"),
        Case(name: "method-not-declared", method: "PUT", path: "/api/v1/trades"),
        Case(name: "closed-route", method: "POST", path: "/internal/x/y"),
        Case(name: "no-token", path: "/api/v1/trades"),
        Case(
            name: "another-scheme-and-a-token-in-the-query", path: "/api/v1/trades?access_token=x",
            headers: ["Authorization: Basic dTpw"]),
        Case(name: "two-tokens", path: "/api/v1/trades", headers: ["Authorization: Bearer abc"], token: "good"),
        Case(name: "rubbish-token", path: "/api/v1/trades", headers: ["Authorization: Bearer rubbish"]),
        Case(name: "expired-token", path: "/api/v1/trades", token: "expired"),
        Case(name: "token-too-early", path: "/api/v1/trades", token: "early"),
        Case(name: "token-of-the-future", path: "/api/v1/trades", token: "future"),
        Case(name: "forged-token", path: "/api/v1/trades", token: "forged"),
        Case(name: "unsigned-token", path: "/api/v1/trades", token: "unsigned"),
        Case(name: "token-of-another-type", path: "/api/v1/trades", token: "id-token"),
        Case(name: "token-for-another-audience", path: "/api/v1/trades", token: "audience"),
        Case(name: "token-of-another-issuer", path: "/api/v1/trades", token: "issuer"),
        Case(name: "unknown-key", path: "/api/v1/trades", token: "unknown-kid"),
        Case(name: "bad-token-where-none-is-needed", path: "/news", token: "expired"),
        Case(name: "scope-missing", method: "POST", path: "/api/v1/trades", token: "good"),
        Case(
            name: "grpc-call", method: "POST", path: "/api/v1/trades",
            headers: ["Content-Type: application/grpc+proto"], token: "good"),
        Case(
            name: "path-of-another-user", path: "/api/v1/users/u2/orders",
            claims: #"{"sub": "u1", "scope": "trade:read"}"#),
        Case(
            name: "many-conditions", path: "/api/v1/reports",
            claims: #"{"iss": "https://secret.test", "scope": "report:all", "roles": ["reader"]}"#),
        Case(name: "claims-of-nobody", path: "/api/v1/profile", claims: #"{"iss": "https://evil.test"}"#),
        Case(name: "claims-without-expiry", path: "/api/v1/profile", claims: #"{"exp": null}"#),
        Case(name: "control-character-in-a-claim", path: "/api/v1/trades", token: "control"),
        Case(
            name: "identity-too-large", path: "/api/v1/profile",
            claims: #"{"sub": "\#(String(repeating: "u", count: 600))"}"#),
        Case(
            name: "body-too-large", method: "POST", path: "/api/v1/trades", headers: ["Content-Length: 1025"],
            claims: #"{"scope": "trade:open"}"#),
        Case(
            name: "websocket-without-a-key", path: "/health", headers: ["Connection: upgrade", "Upgrade: websocket"]),
    ]

    private static func run(_ row: Case, exitCode: Int32) async throws {
        let token = try row.token.map { try Scene.token($0) }
        let request = try ExplainRequest(
            method: row.method, target: row.path, headers: row.headers, token: token, claims: row.claims)
        let output = await Scene.explain(request)
        #expect(output.exitCode == exitCode)
        #expect(output.stderr.isEmpty)
        try Scene.expect(output.stdout, isFile: row.name)
        if let token { #expect(!output.stdout.contains(token)) }
        for secret in ["s3cr3t", "secret=s3", "0123456789abcdef"] { #expect(!output.stdout.contains(secret)) }
        // Nothing that could steer a terminal.
        #expect(!output.stdout.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }

    @Test(arguments: Self.allowed)
    func allowedRequestIsShownAsTheServiceGetsIt(row: Case) async throws {
        try await Self.run(row, exitCode: ExitStatus.fine)
    }

    @Test(arguments: Self.denied)
    func deniedRequestNamesTheStageAndTheReason(row: Case) async throws {
        try await Self.run(row, exitCode: ExitStatus.negative)
    }

    @Test func keysThatCannotBeFetchedAreTheProxysAnswer() async throws {
        let request = try ExplainRequest(method: "GET", target: "/api/v1/trades", token: try Scene.token("remote"))
        let output = await Scene.explain(request, retrieval: Scene.down)
        #expect(output.exitCode == ExitStatus.negative)
        try Scene.expect(output.stdout, isFile: "keys-not-to-be-had")
    }

    @Test func keysAreFetchedOnlyForATokenOfTheirIssuer() async throws {
        let refused: ExplainKeys.Retrieval = { _ in
            Issue.record("nothing is to be fetched")
            return .failure(.init(reason: ""))
        }
        for token in ["good", "pem", "issuer"] {
            let request = try ExplainRequest(method: "GET", target: "/api/v1/trades", token: try Scene.token(token))
            _ = await Scene.explain(request, retrieval: refused)
        }
    }

    @Test func tokenIsNotPrintedWhereverItWasSent() async throws {
        let token = try Scene.token("good")
        let request = try ExplainRequest(
            method: "GET", target: "/api/v1/trades/\(token)#", headers: ["X-Copy: \(token)"], token: token)
        for format in OutputFormat.allCases {
            let output = await Scene.explain(request, format: format)
            #expect(!output.stdout.contains(token))
            #expect(output.stdout.contains("(token)"))
        }
    }

    @Test func textOfStrangersCannotTurnTheDirectionOfALine() async throws {
        let request = try ExplainRequest(method: "GET", target: "/api/v1/trades", token: try Scene.token("odd"))
        let output = await Scene.explain(request)
        #expect(output.stdout.contains("user u\\u{202e}1"))
        #expect(!output.stdout.unicodeScalars.contains("\u{202e}"))
    }

    @Test func jsonSaysTheSameOfAllowedRequests() async throws {
        let request = try ExplainRequest(method: "GET", target: "/api/v1/trades", token: try Scene.token("good"))
        let output = await Scene.explain(request, format: .json)
        #expect(output.exitCode == ExitStatus.fine)
        try Scene.expect(output.stdout, isFile: "good-token-json")
    }

    @Test func jsonSaysTheSameOfDeniedRequests() async throws {
        let request = try ExplainRequest(
            method: "GET", target: "/api/v1/trades", claims: #"{"scope": "trade:read"}"#)
        let output = await Scene.explain(request, format: .json)
        #expect(output.exitCode == ExitStatus.negative)
        try Scene.expect(output.stdout, isFile: "scope-missing-json")
    }

    @Test(arguments: ["broken.yaml", "absent.yaml", "unusable-key.yaml"])
    func unusableConfigurationIsSaidOnStandardError(file: String) async throws {
        let output = await Scene.explain(try ExplainRequest(method: "GET", target: "/"), file: file)
        #expect(output.exitCode == ExitStatus.configuration)
        #expect(output.stdout.isEmpty)
        #expect(output.stderr.contains("\(file):"))
        #expect(output.stderr.contains(": error: "))
    }
}
