import PosternCore

extension Schema {
    /// A login.
    static let loginRequest = Schema.object([
        .required("username", Schema.plain.length(0...256)),
        .required("password", Schema.plain.length(0...UserFields.passwordLength.upperBound * 4).format("password")),
        .optional(
            "client_id",
            Schema.plain.length(1...1024).described("The client that he logs in through: its lifetimes hold.")),
        .optional("client_secret", Schema.plain.length(1...1024).format("password")),
    ]).together("client_id", "client_secret")

    /// `hrt_` and 256 bits.
    static let refreshToken = Schema.string.pattern("^hrt_[A-Za-z0-9_-]{43}$")

    /// What a refresh token is handed in with.
    static let refreshRequest = Schema.object([.required("refresh_token", Schema.plain.length(1...1024))])

    /// Whose sessions are to end.
    static let logoutRequest = Schema.object([
        .optional(
            "user_id",
            Schema.plain.length(1...64).described("Somebody else, for administrators; a client has to name one."))
    ])

    /// What a login and a refresh give.
    static let session = Schema.object(
        SchemaField.issuedToken + [
            .required("refresh_token", Schema.refreshToken.described("Good for one use.")),
            .required("refresh_expires_in", Schema.integer(0...).described("Seconds.")),
        ])
}
