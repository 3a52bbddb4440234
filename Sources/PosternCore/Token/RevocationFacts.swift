/// What a token can be revoked by. Made once, when the token is verified.
public struct RevocationFacts: Equatable, Sendable {
    /// `jti`.
    public var tokenID: String?
    /// Whose token it is: the claim `sub`, and the mapped user where that is another claim.
    public var subjects: [String]
    /// Which client it was issued to: the claim `client_id`, and the mapped client where that is another claim.
    public var clients: [String]
    /// `iat` in Unix seconds.
    public var issuedAt: Double?
    /// The digest of the token itself; nil where only claims are at hand (`explain --claims`).
    public var digest: TokenDigest?
    /// The digest of the token with the other signature that verifies, where there is one: `TokenTwin`.
    public var twin: TokenDigest?

    public init(
        tokenID: String? = nil, subjects: [String] = [], clients: [String] = [], issuedAt: Double? = nil,
        digest: TokenDigest? = nil, twin: TokenDigest? = nil
    ) {
        self.tokenID = tokenID
        self.subjects = subjects
        self.clients = clients
        self.issuedAt = issuedAt
        self.digest = digest
        self.twin = twin
    }

    public init(principal: Principal, digest: TokenDigest?, twin: TokenDigest? = nil) {
        self.init(
            tokenID: principal.tokenID,
            subjects: Self.names(principal.claims["sub"], principal.user),
            clients: Self.names(principal.claims["client_id"], principal.client),
            issuedAt: principal.issuedAt, digest: digest, twin: twin)
    }

    /// Adds what a JWT says of itself where the issuer that was asked about it does not repeat it: introspection answers of
    /// some dialects name the user and nothing else. Without its `iat` a token would be revoked by whatever revokes the
    /// tokens from before some time, new ones included.
    ///
    /// - Parameter token: Its bytes. The issuer has called exactly these valid, signature and all; of a token that is no
    ///   well-formed JWT nothing is known.
    public mutating func complete(from token: RawSpan) {
        guard self.tokenID == nil || self.issuedAt == nil, let claims = (try? CompactToken(token))?.claims else {
            return
        }
        self.tokenID = self.tokenID ?? claims["jti"].flatMap { Self.name($0) }
        self.issuedAt = self.issuedAt ?? (try? ClaimRules.date(claims["iat"])) ?? nil
        // More names can only revoke more.
        self.subjects = Self.adding(claims["sub"], to: self.subjects)
        self.clients = Self.adding(claims["client_id"], to: self.clients)
    }

    private static func adding(_ claim: JSONValue?, to names: [String]) -> [String] {
        guard let name = claim.flatMap({ Self.name($0) }), !names.contains(name) else { return names }
        return names + [name]
    }

    private static func names(_ claim: JSONValue?, _ mapped: String?) -> [String] {
        let name = claim.flatMap { Self.name($0) }
        guard let mapped, mapped != name else { return name.map { [$0] } ?? [] }
        return name.map { [$0, mapped] } ?? [mapped]
    }

    /// A name as claims and revocations hold it: a string, or a number as it is written.
    static func name(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .number(_, let text): text
        default: nil
        }
    }
}
