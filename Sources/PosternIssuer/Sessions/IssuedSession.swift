/// What somebody asks for who logs in.
struct LoginRequest: Sendable {
    /// As it was sent.
    var username: String
    var password: String
    /// The client that he logs in through, with its secret; nil: none.
    var client: (id: String, secret: String)?
    /// Where the request came from, if that is known.
    var address: Address?
}

/// The tokens of a login or a refresh.
struct IssuedSession: Sendable {
    /// An access token, and its `jti`.
    var accessToken: String
    var accessTokenID: String
    /// Seconds.
    var accessLifetime: Int
    var refreshToken: String
    /// Seconds.
    var refreshLifetime: Int
    var scopes: [String]
    var userID: String
}
