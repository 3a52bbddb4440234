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
