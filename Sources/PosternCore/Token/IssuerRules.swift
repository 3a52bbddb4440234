/// What a token of one issuer must be like to be accepted (3-behaviour, JWT).
public struct IssuerRules: Equatable, Sendable {
    /// The issuer's name in proxy.yaml.
    public var name: String
    /// The exact `iss`. Nil: an issuer that is asked about any token; local validation accepts none of its tokens.
    public var issuer: String?
    /// One of these must be in `aud`. Nil: `audiences: any`, the check is switched off.
    public var audiences: [String]?
    /// Accepted `alg` values. HMAC only where the keys are a `secret`. Empty where tokens are introspected.
    public var algorithms: [SignatureAlgorithm]
    /// Clock tolerance in seconds for `exp`, `nbf` and `iat`.
    public var leeway: Double
    /// Accepted `typ` values, lower-case and without `application/`. An absent `typ` counts as `jwt`. Empty
    /// where tokens are introspected.
    public var tokenTypes: [String]
    public var claims: ClaimMap

    public init(
        name: String, issuer: String?, audiences: [String]?,
        algorithms: [SignatureAlgorithm] = SignatureAlgorithm.defaults, leeway: Double = 30,
        tokenTypes: [String] = ["at+jwt", "jwt"], claims: ClaimMap = ClaimMap()
    ) {
        self.name = name
        self.issuer = issuer
        self.audiences = audiences
        self.algorithms = algorithms
        self.leeway = leeway
        self.tokenTypes = tokenTypes
        self.claims = claims
    }
}
