/// Why a request's credential is refused with 400 `invalid_request` (RFC 6750 section 3.1).
public enum CredentialProblem: Equatable, Sendable, CaseIterable {
    /// More than one Authorization header.
    case repeatedHeader
    /// `Bearer` without a token, or with what is not one b64token.
    case malformed
    /// Longer than `limits.token`.
    case tooLong
    /// A token in the header and an `access_token` in the query.
    case twoPlaces

    /// One sentence for the developer of the client.
    public var detail: String {
        switch self {
        case .repeatedHeader:
            "The request has more than one Authorization header; send exactly one."
        case .malformed:
            "The Authorization header is not the word Bearer, a space and one token."
        case .tooLong:
            "The bearer token is longer than this service accepts."
        case .twoPlaces:
            "The request has a token in the Authorization header and an access_token in the query; send only the header."
        }
    }
}
