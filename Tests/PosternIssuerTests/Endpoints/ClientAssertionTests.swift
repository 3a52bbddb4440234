import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct ClientAssertionTests {
    private static let grant = "grant_type=client_credentials&"
    private let now = 1_760_000_000

    @Test("A client authenticates with each algorithm", arguments: ["RS256", "PS256", "ES256", "EdDSA"])
    func algorithms(_ name: String) async throws {
        let test = try await TestIssuer()
        let key = try SigningKey.generate(try #require(SignatureAlgorithm(rawValue: name)))
        try await test.registerKeys([key.publicJWK(kid: "k1")])
        try await test.serve { client in
            let answer = try await client.post("/oauth/token", Self.grant + (try SignedAssertion(key).form()))
            #expect(answer.status == .ok)
            #expect(try answer.json["expires_in"] == .integer(1800))
            #expect(test.auditLines.text.contains(#""token.issue","allowed":true,"actor":"client:trading-dashboard""#))
        }
    }

    static let accepted: [(String, @Sendable (SignedAssertion) -> SignedAssertion)] = [
        ("the token endpoint as audience", { $0.with("aud", .string(TestIssuer.url + "/oauth/token")) }),
        ("an array of audiences", { $0.with("aud", .strings([TestIssuer.url + "/oauth/token", TestIssuer.url])) }),
        ("no iat", { $0.with("iat", nil) }),
        ("an nbf that has come", { $0.with("nbf", .integer(1_760_000_000)) }),
        ("a clock that is behind", { $0.with("exp", .integer(1_760_000_000 - 59)) }),
        (
            "a clock that is ahead",
            { $0.with("exp", .integer(1_760_000_000 + 3660)).with("iat", .integer(1_760_000_060)) }
        ),
        ("no kid", { $0.header("kid", nil) }),
        ("typ JWT", { $0.header("typ", .string("JWT")) }),
        ("the typ of its own", { $0.header("typ", .string("client-authentication+jwt")) }),
    ]

    @Test("What the standard leaves open is accepted", arguments: Self.accepted.indices)
    func accepts(_ index: Int) async throws {
        let test = try await TestIssuer()
        let key = try SigningKey.generate(.es256)
        try await test.registerKeys([key.publicJWK(kid: "k1")])
        let (name, change) = Self.accepted[index]
        try await test.serve { client in
            let form = try change(SignedAssertion(key)).form()
            let answer = try await client.post("/oauth/token", Self.grant + form + "&client_id=trading-dashboard")
            #expect(answer.status == .ok, "\(name)")
        }
    }

    static let refused: [(String, String, @Sendable (SignedAssertion) -> SignedAssertion)] = [
        ("aud of another server", "wrong_audience", { $0.with("aud", .string("https://other.test")) }),
        ("aud of another endpoint", "wrong_audience", { $0.with("aud", .string(TestIssuer.url + "/oauth/revoke")) }),
        (
            "aud of another server, too", "wrong_audience",
            { $0.with("aud", .strings([TestIssuer.url, "https://other.test"])) }
        ),
        ("no aud", "wrong_audience", { $0.with("aud", nil) }),
        ("an empty aud", "wrong_audience", { $0.with("aud", .array([])) }),
        ("a strange aud", "wrong_audience", { $0.with("aud", .array([.integer(1)])) }),
        ("exp too far ahead", "expires_too_late", { $0.with("exp", .integer(1_760_000_000 + 3661)) }),
        ("an endless exp", "expires_too_late", { $0.with("exp", .number(1e300, text: "1e300")) }),
        ("a strange exp", "missing_expiry", { $0.with("exp", .string("1760000060")) }),
        ("no exp", "missing_expiry", { $0.with("exp", nil) }),
        ("an exp before all time", "malformed_claim", { $0.with("exp", .number(-1e300, text: "-1e300")) }),
        ("an exp that is over", "expired", { $0.with("exp", .integer(1_760_000_000 - 60)) }),
        ("an iat in the future", "issued_in_the_future", { $0.with("iat", .integer(1_760_000_061)) }),
        ("an nbf in the future", "not_yet_valid", { $0.with("nbf", .integer(1_760_000_061)) }),
        ("no jti", "missing_jti", { $0.with("jti", nil) }),
        ("an empty jti", "missing_jti", { $0.with("jti", .string("")) }),
        ("a number as jti", "missing_jti", { $0.with("jti", .integer(1)) }),
        ("a long jti", "missing_jti", { $0.with("jti", .string(String(repeating: "j", count: 257))) }),
        ("another iss", "wrong_subject", { $0.with("iss", .string("mt5-api-service")) }),
        ("no iss", "wrong_subject", { $0.with("iss", nil) }),
        ("no sub", "wrong_subject", { $0.with("sub", nil) }),
        (
            "another client in both", "no_key",
            { $0.with("iss", .string("mt5-api-service")).with("sub", .string("mt5-api-service")) }
        ),
        ("an unknown client", "bad_signature", { $0.with("iss", .string("nobody")).with("sub", .string("nobody")) }),
        ("another kid", "bad_signature", { $0.header("kid", .string("k2")) }),
        ("an access token's typ", "wrong_type", { $0.header("typ", .string("at+jwt")) }),
        ("crit", "unsupported_header", { $0.header("crit", .strings(["exp"])) }),
        ("a key to be confirmed", "sender_constrained", { $0.with("cnf", .record([])) }),
        ("alg none", "algorithm_not_allowed", { $0.signed("none") { _ in [] } }),
        ("ES384", "algorithm_not_allowed", { $0.signed("ES384") { _ in [] } }),
        ("RS256 of nobody", "bad_signature", { $0.signed("RS256") { _ in [UInt8](repeating: 1, count: 256) } }),
        ("no signature", "bad_signature", { $0.signed("ES256") { _ in [] } }),
    ]

    @Test("A wrong assertion is refused like every other; the logs say why", arguments: Self.refused.indices)
    func refuses(_ index: Int) async throws {
        let test = try await TestIssuer()
        let key = try SigningKey.generate(.es256)
        try await test.registerKeys([key.publicJWK(kid: "k1")])
        let (name, reason, change) = Self.refused[index]
        // A client without keys and an unknown one are refused with a decoy's signature.
        let expected = reason == "no_key" ? "bad_signature" : reason
        try await test.serve { client in
            let form = try change(SignedAssertion(key)).form()
            let answer = try await client.post("/oauth/token", Self.grant + form)
            try Self.expectRefusal(answer, name)
            #expect(test.log.text.contains("reason\": assertion_\(expected)"), "\(name)")
            #expect(test.auditLines.text.contains(#""allowed":false,"reason":"assertion_\#(expected)""#), "\(name)")
            // It has not used up the identifier.
            let right = try await client.post("/oauth/token", Self.grant + (try SignedAssertion(key).form()))
            #expect(right.status == .ok, "\(name)")
        }
    }

    private static func expectRefusal(_ answer: TestResponse, _ name: String) throws {
        #expect(answer.status == .unauthorized, "\(name)")
        #expect(
            String(buffer: answer.body)
                == #"{"error":"invalid_client","error_description":"the client is unknown or its assertion is not accepted"}"#
        )
        #expect(answer.headers[.wwwAuthenticate] == nil)
    }

    @Test("Another's key, the public key as a secret, and a client_id that is another's are refused")
    func confusion() async throws {
        let test = try await TestIssuer()
        let key = try SigningKey.generate(.es256)
        try await test.registerKeys([key.publicJWK(kid: "k1")])
        let other = try SigningKey.generate(.es256)
        let secret = Array(key.publicJWK(kid: "k1").serialized().utf8)
        let forms = [
            try SignedAssertion(other).form(),
            try SignedAssertion(key).signed("HS256") { HMACKey(secret).code($0) }.form(),
            try SignedAssertion(key).form() + "&client_id=mt5-api-service",
            try SignedAssertion(key).form() + "x",
            try SignedAssertion(test.issuer.keys.signer.key).header("kid", nil).form(),
        ]
        try await test.serve { client in
            for form in forms {
                try Self.expectRefusal(try await client.post("/oauth/token", Self.grant + form), form)
            }
        }
    }

    @Test("An assertion is good for one request, at whichever endpoint; its identifier is the client's own")
    func replay() async throws {
        let test = try await TestIssuer()
        let key = try SigningKey.generate(.eddsa)
        try await test.registerKeys([key.publicJWK(kid: "k1")])
        let token = try await test.token()
        try await test.serve { client in
            let form = try SignedAssertion(key).form()
            let revoked = try await client.post("/oauth/revoke", form + "&token=\(token.text)")
            #expect(revoked.status == .ok)
            for path in ["/oauth/token", "/oauth/revoke"] {
                let again = try await client.post(path, Self.grant + form + "&token=\(token.text)")
                try Self.expectRefusal(again, path)
            }
            // Whoever has the key is known by then.
            #expect(
                test.auditLines.text.contains(
                    #""allowed":false,"actor":"client:trading-dashboard","reason":"assertion_replayed""#))
            // The same jti in other words is the same.
            let reworded = try SignedAssertion(key).with("exp", .integer(self.now + 61)).form()
            #expect(try await client.post("/oauth/token", Self.grant + reworded).status == .unauthorized)
            let next = try SignedAssertion(key, jti: "j2").form()
            #expect(try await client.post("/oauth/token", Self.grant + next).status == .ok)
            // Once it is over it is refused for that.
            test.clock.advance(by: 400)
            let late = try await client.post("/oauth/token", Self.grant + form)
            try Self.expectRefusal(late, "late")
            #expect(test.log.text.contains("assertion_expired"))
        }
        #expect(try await test.revocations().count == 1)
    }

    @Test("The endpoint that is called may be the audience")
    func ownAudience() async throws {
        let test = try await TestIssuer()
        let key = try SigningKey.generate(.es256)
        try await test.registerKeys([key.publicJWK(kid: "k1")])
        try await test.serve { client in
            let form = try SignedAssertion(key).with("aud", .string(TestIssuer.url + "/oauth/revoke")).form()
            #expect(try await client.post("/oauth/revoke", form + "&token=x").status == .ok)
        }
    }

    @Test("Keys that are taken away, and a client that is switched off, are refused")
    func withdrawn() async throws {
        let test = try await TestIssuer()
        let key = try SigningKey.generate(.es256)
        try await test.registerKeys([key.publicJWK(kid: "k1")])
        try await test.registerKeys([try SigningKey.generate(.es256).publicJWK(kid: "k2"), key.publicJWK(kid: "k1")])
        try await test.serve { client in
            let first = try await client.post("/oauth/token", Self.grant + (try SignedAssertion(key).form()))
            #expect(first.status == .ok)
            try await test.registerKeys([try SigningKey.generate(.es256).publicJWK(kid: "k1")])
            let old = try await client.post("/oauth/token", Self.grant + (try SignedAssertion(key, jti: "j2").form()))
            try Self.expectRefusal(old, "old key")
            try await test.registerKeys([key.publicJWK(kid: "k1")])
            _ = try await test.issuer.store.changeClient("trading-dashboard", now: 0, audit: .test) {
                $0.isActive = false
            }
            let off = try await client.post("/oauth/token", Self.grant + (try SignedAssertion(key, jti: "j3").form()))
            #expect(off.status == .unauthorized)
            #expect(try off.json["error_description"]?.string == "the client is not active")
            #expect(test.auditLines.text.contains(#""actor":"client:trading-dashboard","reason":"inactive_client""#))
        }
    }
}
