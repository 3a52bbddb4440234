/// A token that passed verification, with everything that a request needs of it made ready: what the path of a cached
/// request reads is a bit mask, a number and bytes to copy.
public final class VerifiedToken: Sendable {
    /// Where the verdict on a token came from: the `token_source` of the access log, the `tier` of the cache metric.
    public enum Source: String, Sendable, CaseIterable {
        case local = "l1"
        case redis
        case issuer
        case jwt
    }

    public let principal: Principal
    /// Which of the policy's conditions the caller meets.
    public let standing: Standing
    /// The identity header lines, ready to write.
    public let identity: [UInt8]
    /// The caller's members of an access log line, ready to write: `,"issuer":"…","user":"…"`.
    public let logMembers: [UInt8]
    /// Unix seconds after which a cached verdict does not count any more.
    public let expiresAt: Double
    /// How long the verdict holds, and what ends it early.
    public let terms: TokenTerms
    /// Which policy `standing` and `identity` were made for.
    public let generation: Int

    public init(
        principal: Principal, standing: Standing, identity: [UInt8], generation: Int, terms: TokenTerms = TokenTerms()
    ) {
        self.principal = principal
        self.standing = standing
        self.identity = identity
        self.expiresAt = min(principal.expiresAt, terms.freshUntil)
        self.terms = terms
        self.generation = generation
        self.logMembers = Self.logMembers(of: principal)
    }

    /// Unix seconds after which the verdict does not even count while the issuer cannot be asked.
    public var staleUntil: Double { min(self.principal.expiresAt, self.terms.staleUntil) }

    private static func logMembers(of principal: Principal) -> [UInt8] {
        let members: [(StaticString, String?)] = [
            ("issuer", principal.issuer), ("user", principal.user), ("client_id", principal.client),
            ("jti", principal.tokenID),
        ]
        var text: [UInt8] = []
        text.reserveCapacity(128)
        for case (let name, let value?) in members {
            text.append(",\"")
            text.append(name)
            text.append("\":")
            text.append(json: value)
        }
        return text
    }
}
