/// Who a verified token speaks for. Made once, when the token is verified; never on the path of a cached request.
public struct Principal: Equatable, Sendable {
    /// The issuer's name in proxy.yaml.
    public var issuer: String
    public var user: String?
    public var name: String?
    public var client: String?
    public var scopes: [String]
    public var roles: [String]
    /// Nil where the issuer has no `admin` claim configured; else whether that claim is JSON `true`.
    public var admin: Bool?
    /// The token's own identifier (`jti`).
    public var tokenID: String?
    /// All claims, as the token or the introspection answer carried them.
    public var claims: JSONValue
    /// `iat` in Unix seconds.
    public var issuedAt: Double?
    /// `nbf` in Unix seconds.
    public var notBefore: Double?
    /// `exp` in Unix seconds.
    public var expiresAt: Double

    public init(
        issuer: String, user: String? = nil, name: String? = nil, client: String? = nil, scopes: [String] = [],
        roles: [String] = [], admin: Bool? = nil, tokenID: String? = nil, claims: JSONValue = .object([]),
        issuedAt: Double? = nil, notBefore: Double? = nil, expiresAt: Double
    ) {
        self.issuer = issuer
        self.user = user
        self.name = name
        self.client = client
        self.scopes = scopes
        self.roles = roles
        self.admin = admin
        self.tokenID = tokenID
        self.claims = claims
        self.issuedAt = issuedAt
        self.notBefore = notBefore
        self.expiresAt = expiresAt
    }
}
