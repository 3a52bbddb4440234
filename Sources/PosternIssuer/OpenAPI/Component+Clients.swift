import PosternCore

extension SchemaField {
    /// What may be said of a client when it is registered or changed.
    static let clientSettings: [SchemaField] = [
        .optional("name", .text(256)),
        .optional("description", .text(1024)),
        .optional("client_type", .choice(["confidential"])),
        .optional("is_active", Schema.boolean.described("False: it gets no token, and all that it has are revoked.")),
        .optional("is_trusted", .boolean),
        .optional("access_token_lifetime", Schema.integer(60...86_400).described("Seconds.")),
        .optional("refresh_token_lifetime", Schema.integer(60...31_536_000).described("Seconds.")),
        .optional("rate_limit_per_minute", .integer(1...1_000_000)),
        .optional("rate_limit_per_hour", .integer(1...100_000_000)),
        .optional("contact_email", .text(256)),
        .optional(
            "allowed_ips",
            Schema.string.orNull.described("CIDRs, separated by commas; null or empty: from anywhere.")
                .example(.string("10.0.0.0/8, 2001:db8::/32"))),
        .optional("scope_ids", Schema.array(of: .scope, most: 256).distinct),
        .optional("jwks", Schema.reference(.clientKeySet).orNull),
    ]

    /// A client as it is read.
    static let client: [SchemaField] = [
        .required("client_id", .string),
        .required("name", .string),
        .required("description", .string),
        .required("client_type", .choice(["confidential"])),
        .required("is_active", .boolean),
        .required("is_trusted", .boolean),
        .required("access_token_lifetime", .integer(1...)),
        .required("refresh_token_lifetime", .integer(1...)),
        .required("rate_limit_per_minute", .integer(1...)),
        .required("rate_limit_per_hour", .integer(1...)),
        .required("contact_email", .string),
        .required("allowed_ips", Schema.string.described("CIDRs, separated by commas; empty: from anywhere.")),
        .required("scope_ids", .array(of: .scope)),
        .required("jwks", Schema.reference(.clientKeySet).orNull),
        .required("created_at", .time),
        .required("updated_at", .time),
    ]

    static let clientSecret = SchemaField.required(
        "client_secret", Schema.string.length(32...32).described("Shown this once."))
}

extension Schema {
    static let newClient = Schema.object(
        [
            .required(
                "client_id",
                Schema.name(1...128).except(.choice([AccessToken.ownClientID])).described("Not a UUID.")
                    .example(.string("mt5-api-service")))
        ] + SchemaField.clientSettings)

    static let registeredClient = Schema.object(SchemaField.client + [SchemaField.clientSecret])

    static let rotation = Schema.object([
        .optional(
            "overlap_seconds",
            Schema.integer(0...604_800).byDefault(.integer(0)).described("For how long the old secret still works."))
    ])

    static let rotatedSecret = Schema.object([
        .required("client_id", .string), SchemaField.clientSecret,
        .required("old_secret_valid_until", Schema.time.orNull.described("Null: the old one is void.")),
    ])

    /// RFC 7517, public keys alone.
    static let clientKeySet = Schema.object(
        [
            .required(
                "keys",
                .array(
                    of: .object(
                        [
                            .required("kty", .choice(["RSA", "EC", "OKP"])),
                            .optional("kid", .string),
                        ], others: .any(of: [.string, .array(of: .string)]))))
        ])
}
