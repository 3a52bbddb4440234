/// How long the verdict on a token holds besides the token's own expiry, and what can end it early. Times are Unix seconds.
public struct TokenTerms: Equatable, Sendable {
    /// Until when it counts as fresh: `cache` of an introspection issuer. `.infinity` where keys decide.
    public var freshUntil: Double
    /// Until when it may serve while the issuer cannot be asked (`stale_if_error`); never before `freshUntil`.
    public var staleUntil: Double
    /// What the token can be revoked by; nil where the issuer's revocations are off.
    public var revocation: RevocationFacts?
    /// Whether the token counts only while the revocations are known to be complete (`revocation: required`).
    public var needsRevocations: Bool
    /// Bytes that keeping the verdict takes besides the token, where they may be many: what an issuer answers has no
    /// proportion to the token.
    public var weight = 0

    public init(
        freshUntil: Double = .infinity, staleUntil: Double = .infinity, revocation: RevocationFacts? = nil,
        needsRevocations: Bool = false
    ) {
        self.freshUntil = freshUntil
        self.staleUntil = max(freshUntil, staleUntil)
        self.revocation = revocation
        self.needsRevocations = needsRevocations
    }
}
