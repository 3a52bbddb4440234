import PosternCore

extension SchemaField {
    private static let algorithms = ClientAssertion.algorithms.map(\.rawValue).joined(separator: ", ")

    /// How a client authenticates in a form (RFC 6749 section 2.3.1, RFC 7523 section 2.2).
    static let clientAuthentication: [SchemaField] = [
        .optional("client_id", Schema.string.length(1...1024)),
        .optional("client_secret", Schema.string.length(1...1024).format("password")),
        .optional(
            "client_assertion_type",
            .choice([ClientAssertion.type])),
        .optional(
            "client_assertion",
            Schema.string.described(
                """
                A JWT of the client, signed (\(algorithms)) by a key of its `jwks`: `iss` and `sub` are the client_id, `aud` \
                this issuer or this endpoint, `exp` at most \(Int(ClientAssertion.lifetime)) s ahead, `jti` new.
                """)),
    ]

    /// `scope` of a token request.
    static func wantedScope(orNull: Bool = false) -> SchemaField {
        let scope = Schema.string.pattern("^[ !#-\\[\\]-~]*$")
            .described("Separated by spaces; none, or empty: all that the client has.")
        return .optional("scope", orNull ? scope.orNull : scope)
    }

    /// A client's id and secret in the body, where there is no other way.
    static let clientSecretPost: [SchemaField] = [
        .required("client_id", Schema.string.length(1...1024)),
        .required("client_secret", Schema.string.length(1...1024).format("password")),
    ]
}

extension Schema {
    /// RFC 6749 section 5.1.
    static let token = Schema.object(SchemaField.issuedToken)

    /// `POST /api/v1/auth/service-token` as a form.
    static let serviceTokenForm = Schema.object(SchemaField.clientSecretPost + [.wantedScope()], others: .string)
    /// And as JSON, where null counts as not there.
    static let serviceTokenJSON = Schema.object(
        SchemaField.clientSecretPost + [.wantedScope(orNull: true)], others: Schema.string.orNull)

    /// `POST /oauth/token`.
    static let tokenRequest = Schema.object(
        [.required("grant_type", .choice(["client_credentials"])), .wantedScope()] + SchemaField.clientAuthentication,
        others: .string)

    /// `POST /oauth/introspect` and `/oauth/revoke`.
    static let tokenQuestion = Schema.object(
        [
            .required("token", Schema.string.length(1...FormBody.limit)),
            .optional("token_type_hint", Schema.string.described("Not needed, and ignored.")),
        ] + SchemaField.clientAuthentication, others: .string)
}

extension SchemaField {
    /// What everything that hands out an access token says of it.
    static let issuedToken: [SchemaField] = [
        .required("access_token", Schema.string.described("A JWT (RFC 9068).")),
        .required("token_type", .choice(["Bearer"])),
        .required("expires_in", Schema.integer(0...).described("Seconds.")),
        .required("scope", Schema.string.described("What was granted, separated by spaces.")),
    ]
}
