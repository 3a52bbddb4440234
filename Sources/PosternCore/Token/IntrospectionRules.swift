/// The rules for what an issuer says of an active token: those of a JWT for every member that the answer has (3-behaviour,
/// JWT, last paragraph), and how the members become a `Principal`.
///
/// What differs from `ClaimRules`:
/// - `iss` and `exp` may be missing: the issuer was asked and said yes. Without `exp` the token does not end by itself
///   (`Principal.expiresAt` is infinite), and the limit on the cache is the only one.
/// - `iss` counts only where the configuration names one.
/// - `token_type`, if present, is `Bearer` or `access_token` (RFC 7662 section 2.2, RFC 6749 section 5.1: without regard
///   to case): a refresh token is active as well, but gives no access.
public enum IntrospectionRules {
    /// Who the answer speaks for, or why it is not accepted.
    /// - Parameters:
    ///   - claims: Of `IntrospectionAnswer.active`.
    ///   - now: Unix seconds.
    public static func principal(
        rules: IssuerRules, claims: JSONValue, now: Double
    ) throws(TokenProblem) -> Principal {
        guard case .object = claims else { throw .malformed }
        if claims["cnf"] != nil { throw .senderConstrained }
        let issuer = try ClaimRules.text(claims["iss"])
        if let issuer, let expected = rules.issuer, !issuer.hasSameBytes(as: expected) { throw .unknownIssuer }
        try Self.checkType(claims["token_type"])
        try ClaimRules.checkAudience(claims["aud"], rules.audiences)
        let expiresAt = try ClaimRules.date(claims["exp"])
        let notBefore = try ClaimRules.date(claims["nbf"])
        let issuedAt = try ClaimRules.date(claims["iat"])
        if let expiresAt, now >= expiresAt + rules.leeway { throw .expired }
        if let notBefore, now < notBefore - rules.leeway { throw .notYetValid }
        if let issuedAt, issuedAt > now + rules.leeway { throw .issuedInTheFuture }
        return try ClaimRules.principal(
            issuer: rules.name, map: rules.claims, claims: claims, issuedAt: issuedAt, notBefore: notBefore,
            expiresAt: expiresAt ?? .infinity)
    }

    private static func checkType(_ value: JSONValue?) throws(TokenProblem) {
        guard let type = try ClaimRules.text(value) else { return }
        let octets = Array(type.utf8)
        let bytes = octets.span.bytes
        guard bytes.equalsIgnoringCase("bearer") || bytes.equalsIgnoringCase("access_token") else { throw .wrongType }
    }
}
