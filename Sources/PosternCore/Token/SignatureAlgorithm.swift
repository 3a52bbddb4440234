/// A JWS signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1). `none` does not exist here.
public enum SignatureAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case eddsa = "EdDSA"
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"

    /// Whether the algorithm is a MAC under a shared secret.
    public var isHMAC: Bool {
        switch self {
        case .hs256, .hs384, .hs512: true
        default: false
        }
    }

    /// What an issuer accepts when proxy.yaml names nothing: never HMAC.
    public static let defaults: [SignatureAlgorithm] = [.rs256, .ps256, .es256, .eddsa]
}
