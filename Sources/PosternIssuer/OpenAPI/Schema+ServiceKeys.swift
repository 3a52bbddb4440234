import PosternCore

extension SchemaField {
    private static let named: [SchemaField] = [
        .required("uuid", .uuid), .required("name", .string), .required("description", .string),
        .required(
            "key_prefix", Schema.string.pattern("^hsk_[A-Za-z0-9_-]{8}$").described("To recognize the key by.")),
        .required("is_active", .boolean), .required("created_at", .time),
    ]

    /// A key as it is listed.
    static let serviceKey =
        named + [
            .required("revoked_at", Schema.time.orNull.described("Null: it is in use."))
        ]

    /// A key as it is made.
    static let createdServiceKey =
        named + [
            .required("api_key", Schema.string.pattern("^hsk_[A-Za-z0-9_-]{43}$").described("Shown this once."))
        ]
}

extension Schema {
    /// A key as it is listed.
    static let serviceKey = Schema.object(SchemaField.serviceKey)
    /// A key with its text.
    static let createdServiceKey = Schema.object(SchemaField.createdServiceKey)

    /// What is said of a new key.
    static let newServiceKey = Schema.object([
        .required("name", Schema.name(1...64).except(.choice([".", ".."])).example(.string("account-service"))),
        .optional("description", .text(0...1024)),
    ])
}
