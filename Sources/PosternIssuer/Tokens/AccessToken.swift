import PosternCore
import PosternCrypto

/// The contents of one access token (RFC 9068).
struct AccessToken: Sendable {
    var issuer: String
    var audiences: [String]
    var client: ServiceClient
    var scopes: [String]
    /// Unix seconds.
    var issuedAt: Int
    var identifier: String

    /// 128 random bits.
    static func newIdentifier() -> String {
        Base64URL.encode(Random.bytes(16))
    }

    var claims: JSONValue {
        let audience: JSONValue =
            self.audiences.count == 1
            ? .string(self.audiences[0]) : .strings(self.audiences)
        return .record([
            ("iss", .string(self.issuer)),
            ("sub", .string(self.client.clientID)),
            ("aud", audience),
            ("exp", .integer(self.issuedAt + self.client.accessTokenLifetime)),
            ("iat", .integer(self.issuedAt)),
            ("jti", .string(self.identifier)),
            ("client_id", .string(self.client.clientID)),
            ("scope", .string(self.scopes.joined(separator: " "))),
            ("scopes", .strings(self.scopes)),
            ("is_trusted", .bool(self.client.isTrusted)),
        ])
    }

    /// The compact serialization (RFC 7515 section 7.1).
    func signed(by signer: TokenSigner) throws -> String {
        let claims = Base64URL.encode(Array(self.claims.serialized().utf8))
        let input = signer.header + "." + claims
        return input + "." + Base64URL.encode(try signer.key.sign(Array(input.utf8)))
    }
}

/// The key that signs, with the JOSE header that all of its tokens share.
struct TokenSigner: Sendable {
    let key: SigningKey
    let kid: String
    /// base64url, ready to use.
    let header: String

    init(key: SigningKey) {
        self.key = key
        self.kid = key.thumbprint()
        let header = JSONValue.record([
            ("alg", .string(key.algorithm.rawValue)), ("typ", .string("at+jwt")), ("kid", .string(self.kid)),
        ])
        self.header = Base64URL.encode(Array(header.serialized().utf8))
    }
}
