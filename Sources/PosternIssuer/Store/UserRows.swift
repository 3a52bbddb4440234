import PosternCore

/// Users as rows.
enum UserRows {
    /// Everything of users, in the order in which `user` reads it.
    static let select = """
        SELECT id, username, email, is_email_verified, is_active, is_admin, roles, permissions, expires_on, password_hash,
            created_at, updated_at, deleted_at, tokens_valid_from FROM account
        """

    static func user(_ row: SQLRow) throws(StoreError) -> User {
        var cells = SQLCells(row)
        return User(
            id: try cells.text(), username: try cells.text(), email: try cells.text(),
            isEmailVerified: try cells.flag(), isActive: try cells.flag(), isAdmin: try cells.flag(),
            roles: try Self.names(try cells.text()), permissions: try Self.names(try cells.text()),
            expiresOn: try cells.optionalInteger(), passwordHash: try cells.text(), createdAt: try cells.integer(),
            updatedAt: try cells.integer(), deletedAt: try cells.optionalInteger(),
            tokensValidFrom: try cells.integer())
    }

    /// All columns but `id` in the order of `select`, and `id` last.
    static func values(_ user: User) -> [SQLValue] {
        [
            .text(user.username), .text(user.email), .flag(user.isEmailVerified), .flag(user.isActive),
            .flag(user.isAdmin), .text(Self.text(user.roles)), .text(Self.text(user.permissions)),
            .optional(user.expiresOn), .text(user.passwordHash), .integer(user.createdAt), .integer(user.updatedAt),
            .optional(user.deletedAt), .integer(user.tokensValidFrom), .text(user.id),
        ]
    }

    /// A JSON array of strings.
    private static func text(_ names: [String]) -> String {
        JSONValue.array(names.map(JSONValue.string)).serialized()
    }

    private static func names(_ text: String) throws(StoreError) -> [String] {
        guard case .array(let items)? = try? JSONReader.parse(Array(text.utf8).span.bytes) else {
            throw .malformed("roles or permissions of a user are no list")
        }
        let names = items.compactMap(\.string)
        guard names.count == items.count else { throw .malformed("a role or permission of a user is no string") }
        return names
    }
}
