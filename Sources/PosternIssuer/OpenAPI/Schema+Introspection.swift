import PosternCore

extension Schema {
    /// What `/auth/introspect` is asked.
    static let introspectionRequest = Schema.object([.required("token", Schema.plain.length(1...16 * 1024))])

    /// What `/auth/introspect` says of a user's access token.
    static let identity = Schema.one(of: [
        .object([
            .required("valid", .constant(.bool(true))), .required("user_id", .uuid), .required("username", .string),
            .required("is_admin", .boolean), .required("roles", .array(of: .string)),
            .required("permissions", .array(of: .string)),
        ]),
        .object([.required("valid", .constant(.bool(false)))]),
    ])

    /// RFC 7662 section 2.2.
    static let tokenState = Schema.one(of: [
        .object([
            .required("active", .constant(.bool(true))), .required("token_type", .choice(["Bearer"])),
            .required("iss", .string), .required("sub", .string),
            .required("aud", .any(of: [.string, .array(of: .string)])), .required("exp", .unixTime),
            .required("iat", .unixTime), .required("jti", .string), .required("client_id", .string),
            .required("scope", .string), .required("scopes", .array(of: .string)), .required("is_trusted", .boolean),
            .optional("username", Schema.string.described("This and the rest: of users' tokens.")),
            .optional("is_admin", .boolean), .optional("roles", .array(of: .string)),
            .optional("permissions", .array(of: .string)),
        ]).described("An access token."),
        .object([
            .required("active", .constant(.bool(true))), .required("token_type", .choice(["refresh_token"])),
            .required("sub", .uuid), .required("client_id", .string), .required("exp", .unixTime),
            .required("iat", .unixTime),
        ]).described("A refresh token, for whom it was issued to."),
        .object([.required("active", .constant(.bool(false)))]),
    ])
}
