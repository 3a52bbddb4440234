/// Why no token was issued, or none revoked.
enum TokenRefusal: Error, Equatable {
    /// Unknown client or wrong secret: deliberately one answer for both.
    case invalidClient
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
}
