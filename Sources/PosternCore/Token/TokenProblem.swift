/// Why a token is not accepted.
///
/// `description` is for the client's developer (it becomes `error_description` of the challenge): it names the kind of
/// the problem, never a value of the token or of the configuration. It holds only characters that a quoted string of a
/// header may hold (RFC 6750 section 3).
public enum TokenProblem: Error, Equatable, Sendable, CaseIterable {
    /// Not three parts of canonical base64url, a header over its limit, or not the JSON that a JWT is made of.
    case malformed
    /// Five parts, or a header with `enc`: a JWE.
    case encrypted
    /// `crit`, `b64` or `zip` in the header.
    case unsupportedHeader
    /// `alg` is not in the issuer's list, or no algorithm at all (`none`).
    case algorithmNotAllowed
    /// `typ` is not in the issuer's list: another kind of token (an ID token, a logout token …).
    case wrongType
    /// No `iss`, or one that no issuer has.
    case unknownIssuer
    /// `kid` names no key of the issuer.
    case unknownKey
    /// The issuer has no key that fits `alg`.
    case noFittingKey
    case badSignature
    /// A claim that is read has a type or a value that it must not have.
    case malformedClaim
    /// No `exp`.
    case missingExpiry
    case expired
    /// `nbf` is in the future.
    case notYetValid
    /// `iat` is in the future.
    case issuedInTheFuture
    /// No `aud` that is one of the issuer's audiences.
    case wrongAudience
    /// `cnf`: bound to a key of its sender, which is not checked.
    case senderConstrained
    /// Withdrawn before its time.
    case revoked
    /// The issuer says that the token is not active (introspection).
    case inactive
    /// A value that goes into a header has control characters.
    case unusableIdentity
    /// The keys or the answer of the issuer cannot be had: no fault of the token.
    case issuerUnavailable

    /// A short stable name for logs, metrics and `explain`.
    public var code: String {
        switch self {
        case .malformed: "malformed"
        case .encrypted: "encrypted"
        case .unsupportedHeader: "unsupported_header"
        case .algorithmNotAllowed: "algorithm_not_allowed"
        case .wrongType: "wrong_type"
        case .unknownIssuer: "unknown_issuer"
        case .unknownKey: "unknown_key"
        case .noFittingKey: "no_fitting_key"
        case .badSignature: "bad_signature"
        case .malformedClaim: "malformed_claim"
        case .missingExpiry: "missing_expiry"
        case .expired: "expired"
        case .notYetValid: "not_yet_valid"
        case .issuedInTheFuture: "issued_in_the_future"
        case .wrongAudience: "wrong_audience"
        case .senderConstrained: "sender_constrained"
        case .revoked: "revoked"
        case .inactive: "inactive"
        case .unusableIdentity: "unusable_identity"
        case .issuerUnavailable: "issuer_unavailable"
        }
    }
}

extension TokenProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed: "the token is malformed"
        case .encrypted: "encrypted tokens are not accepted"
        case .unsupportedHeader: "the token's header asks for an extension that is not supported"
        case .algorithmNotAllowed: "the token's signature algorithm is not accepted"
        case .wrongType: "the token is of another type than an access token"
        case .unknownIssuer: "the token's issuer is not accepted"
        case .unknownKey: "the token is signed with an unknown key"
        case .noFittingKey: "no key of the issuer fits the token's signature algorithm"
        case .badSignature: "the token's signature is not valid"
        case .malformedClaim: "a claim of the token is malformed"
        case .missingExpiry: "the token has no expiry"
        case .expired: "the token has expired"
        case .notYetValid: "the token is not yet valid"
        case .issuedInTheFuture: "the token was issued in the future"
        case .wrongAudience: "the token is meant for another audience"
        case .senderConstrained: "tokens that are bound to their sender are not accepted"
        case .revoked: "the token has been revoked"
        case .inactive: "the token is not active"
        case .unusableIdentity: "a claim of the token cannot be passed on"
        case .issuerUnavailable: "the issuer's keys cannot be had"
        }
    }
}
