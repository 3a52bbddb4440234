import PosternCore

extension Schema {
    static let loginRequest = Schema.object([
        .required("username", Schema.plain.length(0...256)),
        .required("password", Schema.plain.length(0...UserFields.passwordLength.upperBound * 4).format("password")),
        .optional(
            "client_id",
            Schema.plain.length(1...1024).described("The client that he logs in through: its lifetimes hold.")),
        .optional("client_secret", Schema.plain.length(1...1024).format("password")),
    ]).together("client_id", "client_secret")

    static let refreshToken = Schema.string.pattern("^hrt_[A-Za-z0-9_-]{43}$")

    static let refreshRequest = Schema.object([.required("refresh_token", Schema.plain.length(1...1024))])

    static let logoutRequest = Schema.object([
        .optional(
            "user_id",
            Schema.plain.length(1...64).described("Somebody else, for administrators; a client has to name one."))
    ])

    static let session = Schema.object(
        SchemaField.issuedToken + [
            .required("refresh_token", Schema.refreshToken.described("Good for one use.")),
            .required("refresh_expires_in", Schema.integer(0...).described("Seconds.")),
        ])
}
