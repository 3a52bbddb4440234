import PosternCore

extension User {
    /// The object that administrators see: everything but the password.
    var json: JSONValue {
        .record([
            ("user_id", .string(self.id)),
            ("username", .string(self.username)),
            ("email", .string(self.email)),
            ("email_verified", .bool(self.isEmailVerified)),
            ("is_active", .bool(self.isActive)),
            ("is_admin", .bool(self.isAdmin)),
            ("roles", .strings(self.roles)),
            ("permissions", .strings(self.permissions)),
            ("expires_on", self.expiresOn.map { .string(TimeText.seconds($0)) } ?? .null),
            ("created_at", .string(TimeText.seconds(self.createdAt))),
            ("updated_at", .string(TimeText.seconds(self.updatedAt))),
        ])
    }
}
