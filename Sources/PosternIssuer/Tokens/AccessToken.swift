import PosternCore
import PosternCrypto

/// The contents of one access token (RFC 9068).
struct AccessToken: Sendable {
    /// `client_id` of users' tokens where no client was named at login. No client can be registered under it.
    static let ownClientID = "postern-issuer"

    var issuer: String
    var audiences: [String]
    /// `sub`: the client's id, or the user's.
    var subject: String
    var clientID: String
    var scopes: [String]
    var isTrusted: Bool
    /// Unix seconds.
    var issuedAt: Int
    var expiresAt: Int
    var identifier: String
    /// Whose it is, if it is a user's.
    var user: User?

    /// 128 random bits.
    static func newIdentifier() -> String {
        Base64URL.encode(Self.identifiers.next())
    }

    private static let identifiers = RandomIdentifiers()

    /// A client's own token.
    init(issuer: String, audiences: [String], client: ServiceClient, scopes: [String], issuedAt: Int) {
        self.issuer = issuer
        self.audiences = audiences
        self.subject = client.clientID
        self.clientID = client.clientID
        self.scopes = scopes
        self.isTrusted = client.isTrusted
        self.issuedAt = issuedAt
        self.expiresAt = issuedAt + client.accessTokenLifetime
        self.identifier = Self.newIdentifier()
    }

    /// A user's token: the scopes are his permissions. It ends with his account.
    ///
    /// - Parameter lifetime: Seconds.
    init(issuer: String, audiences: [String], user: User, client: ServiceClient?, lifetime: Int, issuedAt: Int) {
        self.issuer = issuer
        self.audiences = audiences
        self.subject = user.id
        self.clientID = client?.clientID ?? Self.ownClientID
        self.scopes = user.permissions
        self.isTrusted = false
        self.issuedAt = issuedAt
        self.expiresAt = min(issuedAt + lifetime, user.expiresOn ?? .max)
        self.identifier = Self.newIdentifier()
        self.user = user
    }

    /// The claims, as JSON.
    private func claims() -> [UInt8] {
        var claims = JSONObjectWriter()
        claims.add("iss", self.issuer)
        claims.add("sub", self.subject)
        if self.audiences.count == 1 { claims.add("aud", self.audiences[0]) } else { claims.add("aud", self.audiences) }
        claims.add("exp", self.expiresAt)
        claims.add("iat", self.issuedAt)
        claims.add("jti", plain: self.identifier)
        claims.add("client_id", self.clientID)
        claims.add("scope", joined: self.scopes)
        claims.add("scopes", self.scopes)
        claims.add("is_trusted", self.isTrusted)
        if let user = self.user {
            claims.add("username", user.username)
            claims.add("is_admin", user.isAdmin)
            claims.add("roles", user.roles)
            claims.add("permissions", user.permissions)
        }
        return claims.finished()
    }

    /// The compact serialization (RFC 7515 section 7.1).
    func signed(by signer: TokenSigner) throws -> String {
        var text = Array(signer.header.utf8)
        text.append(UInt8(ascii: "."))
        text += Base64URL.encoded(self.claims().span.bytes)
        let signature = try signer.key.sign(text)
        text.append(UInt8(ascii: "."))
        text += Base64URL.encoded(signature.span.bytes)
        return String(decoding: text, as: UTF8.self)
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
        self.header = Base64URL.encode(header.serializedBytes())
    }
}
