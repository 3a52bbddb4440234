/// Why no token was issued, or none revoked.
enum TokenRefusal: Error, Equatable {
    /// Unknown client or wrong secret: deliberately one answer for both.
    case invalidClient
    /// The client's assertion is not accepted; the answer does not say why.
    case badAssertion(AssertionProblem)
    /// The credentials are right, the client is switched off.
    case inactive
    /// The caller's address is not among the client's `allowed_ips`.
    case addressNotAllowed
    /// Over one of the client's limits; whole seconds until it may try again.
    case rateLimited(retryAfter: Int)
    /// A scope that is malformed or that the client does not have; the sentence is for the client's developer.
    case invalidScope(String)
    /// The token that is to be revoked is another client's.
    case issuedToAnother

    /// A short stable name, for the log and the audit log.
    var reason: String {
        switch self {
        case .invalidClient: "invalid_client"
        case .badAssertion(let problem): "assertion_\(problem)"
        case .inactive: "inactive_client"
        case .addressNotAllowed: "address_not_allowed"
        case .rateLimited: "rate_limited"
        case .invalidScope: "invalid_scope"
        case .issuedToAnother: "issued_to_another"
        }
    }

    /// Whether the client had proven who it is before it was refused.
    var isOfProvenClient: Bool {
        switch self {
        case .invalidClient: false
        case .badAssertion(let problem): problem == .replayed
        default: true
        }
    }
}
