import PosternCore

extension ServiceKey {
    private var members: [(String, JSONValue)] {
        [
            ("uuid", .string(self.id)),
            ("name", .string(self.name)),
            ("description", .string(self.description)),
            ("key_prefix", .string(self.prefix)),
            ("is_active", .bool(self.revokedAt == nil)),
            ("created_at", .string(TimeText.seconds(self.createdAt))),
        ]
    }

    /// As it is listed.
    var json: JSONValue {
        .record(self.members + [("revoked_at", self.revokedAt.map { .string(TimeText.seconds($0)) } ?? .null)])
    }

    /// With the key itself, as it is shown this once.
    func json(text: String) -> JSONValue {
        .record(self.members + [("api_key", .string(text))])
    }
}
