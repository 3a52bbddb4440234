import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct AccessTokenTests {
    /// Takes a token apart without any of the code that made it but base64url and JSON.
    private func parts(_ token: String) throws -> (header: JSONValue, claims: JSONValue) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        #expect(parts.count == 3)
        let decoded = try parts.prefix(2).map { part in
            let decoded = Base64URL.decode(Array(part.utf8).span.bytes)
            let bytes = try #require(decoded)
            return try JSONReader.parse(bytes.span.bytes)
        }
        return (decoded[0], decoded[1])
    }

    private func issue(_ test: TestIssuer, _ scope: String? = nil) async throws -> IssuedToken {
        try await test.issuer.tokens.issue(
            TokenRequest(
                .secret(clientID: "trading-dashboard", secret: TestIssuer.dashboardSecret), scope: scope),
            issuer: TestIssuer.url)
    }

    @Test("Header and claims are exactly the documented ones")
    func contents() async throws {
        let test = try await TestIssuer(algorithm: .rs256)
        let token = try await self.issue(test, "market:data trade:read")
        let (header, claims) = try self.parts(token.text)
        #expect(
            header.serialized()
                == "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"\(test.issuer.keys.signer.kid)\"}")
        #expect(
            claims.serialized()
                == """
                {"iss":"http://issuer.test","sub":"trading-dashboard","aud":"mt5-api","exp":1760001800,\
                "iat":1760000000,"jti":"\(token.identifier)","client_id":"trading-dashboard",\
                "scope":"market:data trade:read","scopes":["market:data","trade:read"],"is_trusted":false}
                """)
        #expect(token.identifier.utf8.count == 22)
    }

    @Test("Several audiences are an array, and identifiers never repeat")
    func audiences() async throws {
        let test = try await TestIssuer(audiences: ["mt5-api", "account-api"])
        let first = try await self.issue(test)
        let second = try await self.issue(test)
        #expect(try self.parts(first.text).claims["aud"] == .array([.string("mt5-api"), .string("account-api")]))
        #expect(first.identifier != second.identifier)
    }

    @Test(
        "The product's own validation accepts a token with the published keys",
        arguments: [
            SignatureAlgorithm.rs256, .es256, .eddsa,
        ])
    func verifies(_ algorithm: SignatureAlgorithm) async throws {
        let test = try await TestIssuer(algorithm: algorithm)
        let token = try await self.issue(test, "trade:read")
        let (keys, skipped) = KeySet.load(try JWKSet(Array(test.issuer.keys.published.utf8).span.bytes))
        #expect(skipped.isEmpty && keys.keys.count == 1)
        let rules = IssuerRules(name: "dev", issuer: TestIssuer.url, audiences: ["mt5-api"], tokenTypes: ["at+jwt"])
        let validation = LocalValidation(verifier: OpenSSLVerifier())
        let found = validation.check(
            bytes: Array(token.text.utf8).span.bytes, rules: rules, keys: keys, now: 1_760_000_010)
        guard case .valid(let principal) = found else {
            Issue.record("\(found)")
            return
        }
        #expect(principal.scopes == ["trade:read"])
        #expect(principal.client == "trading-dashboard")
        #expect(principal.tokenID == token.identifier)
        #expect(
            validation.check(
                bytes: Array(token.text.utf8).span.bytes, rules: rules, keys: keys, now: 1_760_001_831)
                == .invalid(.expired))
    }
}
