import PosternCore

extension SchemaField {
    private static let expiry = Schema.any(of: [Schema.string.format("date-time"), Schema.string.format("date"), .null])
        .described("When the account ends; null: never.")

    private static let username = Schema.string.length(1...64).pattern("^[A-Za-z0-9._@-]+$")
        .described("Kept in lower case.")
    private static let password = Schema.plain.length(UserFields.passwordLength).format("password")

    private static let rights: [SchemaField] = [
        .optional("email", Schema.email.length(0...254)),
        .optional("email_verified", Schema.boolean.described("False: he cannot log in.")),
        .optional("is_active", Schema.boolean.described("False: he cannot log in.")),
        .optional("is_admin", .boolean),
        .optional(
            "roles", Schema.array(of: Schema.plain.length(1...UserFields.longest)).count(0...UserFields.most).distinct),
        .optional(
            "permissions",
            Schema.array(of: Schema.scope.length(1...UserFields.longest)).count(0...UserFields.most).distinct),
        .optional("expires_on", expiry),
    ]

    /// What may be said of a user when he is changed.
    static let userSettings: [SchemaField] =
        [.optional("username", username), .optional("password", password)] + rights

    /// And when he is created.
    static let newUser: [SchemaField] =
        [.required("username", username), .required("password", password)] + rights

    /// A user as he is read.
    static let user: [SchemaField] = [
        .required("user_id", .uuid), .required("username", .string), .required("email", .string),
        .required("email_verified", .boolean), .required("is_active", .boolean), .required("is_admin", .boolean),
        .required("roles", .array(of: .string)), .required("permissions", .array(of: .scope)),
        .required("expires_on", Schema.time.orNull), .required("created_at", .time), .required("updated_at", .time),
    ]
}

extension Schema {
    /// A user who is to be added.
    static let newUser = Schema.object(SchemaField.newUser)
}
