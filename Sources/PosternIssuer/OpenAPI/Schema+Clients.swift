import PosternCore

extension SchemaField {
    /// What may be said of a client when it is registered or changed.
    static let clientSettings: [SchemaField] = [
        .optional("name", .text(1...ServiceClientFields.longestName)),
        .optional("description", .text(0...ServiceClientFields.longestDescription)),
        .optional("client_type", .choice(["confidential"])),
        .optional("is_active", Schema.boolean.described("False: it gets no token, and all that it has are revoked.")),
        .optional("is_trusted", .boolean),
        .optional(
            "access_token_lifetime", Schema.integer(ServiceClientFields.accessTokenLifetimes).described("Seconds.")),
        .optional(
            "refresh_token_lifetime", Schema.integer(ServiceClientFields.refreshTokenLifetimes).described("Seconds.")),
        .optional("rate_limit_per_minute", .integer(ServiceClientFields.ratesPerMinute)),
        .optional("rate_limit_per_hour", .integer(ServiceClientFields.ratesPerHour)),
        .optional("contact_email", Schema.contact.length(0...ServiceClientFields.longestAddress)),
        .optional(
            "allowed_ips",
            Schema.string.length(0...4096).orNull.described("CIDRs, separated by commas; null or empty: from anywhere.")
                .example(.string("10.0.0.0/8, 2001:db8::/32"))),
        .optional("scope_ids", Schema.array(of: Schema.scope.length(1...128)).count(0...256).distinct),
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

    /// A secret at the one moment at which it is known.
    static let clientSecret = SchemaField.required(
        "client_secret", Schema.string.length(32...32).described("Shown this once."))
}

extension Schema {
    /// A registration.
    static let newClient = Schema.object(
        [
            .required(
                "client_id",
                Schema.name(1...128).except(.takenName)
                    .example(.string("mt5-api-service")))
        ] + SchemaField.clientSettings)

    /// Its answer.
    static let registeredClient = Schema.object(SchemaField.client + [SchemaField.clientSecret])

    /// What is said of a new secret.
    static let rotation = Schema.object([
        .optional(
            "overlap_seconds",
            Schema.integer(ClientAdministration.overlaps).byDefault(.integer(0)).described(
                "For how long the old secret still works."))
    ])

    /// The new secret.
    static let rotatedSecret = Schema.object([
        .required("client_id", .string), SchemaField.clientSecret,
        .required("old_secret_valid_until", Schema.time.orNull.described("Null: the old one is void.")),
    ])

    /// Names that no client can have: this issuer's own, those that mean folders, and whatever could be a user's id.
    private static let takenName = Schema.any(of: [
        .choice([AccessToken.ownClientID, ".", ".."]),
        Schema.string.pattern("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"),
    ])

    /// RFC 7517 section 5: public keys alone, and only those that an assertion can be verified with.
    static let clientKeySet = Schema.object(
        [
            .required(
                "keys",
                Schema.array(
                    of: .one(of: [
                        .key("RSA", ["n", "e"]), .key("EC", ["crv", "x", "y"]), .key("OKP", ["crv", "x"]),
                    ])
                ).count(1...16))
        ], others: .anything
    ).described("Public keys; one with a private member is refused.")

    private static func key(_ type: String, _ numbers: [String]) -> Schema {
        .object(
            [.required("kty", .choice([type])), .optional("kid", .string)] + numbers.map { .required($0, .string) },
            others: .anything)
    }
}
