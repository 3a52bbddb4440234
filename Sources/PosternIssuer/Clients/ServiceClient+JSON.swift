import PosternCore

extension ServiceClient {
    /// Its members as administrators read them. No secret is among them.
    var members: [(String, JSONValue)] {
        let keys = self.keySet.flatMap { try? JSONReader.parse(Array($0.utf8).span.bytes) }
        return [
            ("client_id", .string(self.clientID)),
            ("name", .string(self.name)),
            ("description", .string(self.description)),
            ("client_type", .string("confidential")),
            ("is_active", .bool(self.isActive)),
            ("is_trusted", .bool(self.isTrusted)),
            ("access_token_lifetime", .integer(self.accessTokenLifetime)),
            ("refresh_token_lifetime", .integer(self.refreshTokenLifetime)),
            ("rate_limit_per_minute", .integer(self.rateLimits.perMinute)),
            ("rate_limit_per_hour", .integer(self.rateLimits.perHour)),
            ("contact_email", .string(self.contactEmail)),
            ("allowed_ips", .string(self.allowedAddresses.map(\.description).joined(separator: ","))),
            ("scope_ids", .strings(self.scopes)),
            ("jwks", keys ?? .null),
            ("created_at", .string(TimeText.seconds(self.createdAt))),
            ("updated_at", .string(TimeText.seconds(self.updatedAt))),
        ]
    }

    var json: JSONValue { .record(self.members) }
}

extension NewClientSecret {
    /// The client with its secret, as it is shown this once.
    func json(of client: ServiceClient) -> JSONValue {
        .record(client.members + [("client_secret", .string(self.secret))])
    }
}

extension RotatedSecret {
    var json: JSONValue {
        .record([
            ("client_id", .string(self.new.clientID)),
            ("client_secret", .string(self.new.secret)),
            ("old_secret_valid_until", self.oldUntil.map { .string(TimeText.seconds($0)) } ?? .null),
        ])
    }
}
