extension SQLConnection {
    /// Adds a client, with its scopes and without a secret; false if there is one of that name already.
    func add(_ client: ServiceClient, now: Double) throws -> Bool {
        let second = StoredTime.second(now)
        var removed = try self.first(
            "SELECT tokens_valid_from FROM removed_client WHERE client_id = ?", [.text(client.clientID)])
        let isNew = try self.execute(
            """
            INSERT INTO client (name, description, is_active, is_trusted, access_token_lifetime, refresh_token_lifetime,
                rate_limit_per_minute, rate_limit_per_hour, contact_email, allowed_ips, key_set, updated_at,
                tokens_valid_from, client_id, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (client_id) DO NOTHING
            """,
            Self.values(client) + [
                .integer(second), .integer(try removed?.integer() ?? 0), .text(client.clientID), .integer(second),
            ])
        guard isNew > 0 else { return false }
        try self.grant(client.scopes, to: client.clientID)
        try self.keepLongest(client.accessTokenLifetime)
        return true
    }

    /// Writes a client over the one that is there; gives its scopes as they are then, each once.
    func update(_ client: ServiceClient) throws -> [String] {
        try self.execute(
            """
            UPDATE client SET name = ?, description = ?, is_active = ?, is_trusted = ?, access_token_lifetime = ?,
                refresh_token_lifetime = ?, rate_limit_per_minute = ?, rate_limit_per_hour = ?, contact_email = ?,
                allowed_ips = ?, key_set = ?, updated_at = ?, tokens_valid_from = ?
            WHERE client_id = ?
            """,
            Self.values(client) + [
                .integer(client.updatedAt), .integer(client.tokensValidFrom), .text(client.clientID),
            ])
        try self.execute(
            "DELETE FROM client_scope WHERE client = (SELECT id FROM client WHERE client_id = ?)",
            [.text(client.clientID)])
        try self.keepLongest(client.accessTokenLifetime)
        return try self.grant(client.scopes, to: client.clientID)
    }

    private static func values(_ client: ServiceClient) -> [SQLValue] {
        [
            .text(client.name), .text(client.description), .flag(client.isActive), .flag(client.isTrusted),
            .integer(client.accessTokenLifetime), .integer(client.refreshTokenLifetime),
            .integer(client.rateLimits.perMinute), .integer(client.rateLimits.perHour), .text(client.contactEmail),
            .text(client.allowedAddresses.map(\.description).joined(separator: ",")), .optional(client.keySet),
        ]
    }

    /// Adds a scope to the catalogue unless it is there; gives the number of rows.
    @discardableResult
    func add(scope: String) throws -> Int {
        // The question first: a number that an insertion in vain takes is gone on some kinds.
        if try self.first("SELECT 1 FROM scope WHERE name = ?", [.text(scope)]) != nil { return 0 }
        return try self.execute("INSERT INTO scope (name) VALUES (?)", [.text(scope)])
    }

    @discardableResult
    private func grant(_ scopes: [String], to clientID: String) throws -> [String] {
        var granted: [String] = []
        for scope in scopes where !granted.contains(scope) {
            try self.add(scope: scope)
            try self.execute(
                """
                INSERT INTO client_scope (client, scope, position)
                SELECT client.id, scope.id, ? FROM client, scope WHERE client.client_id = ? AND scope.name = ?
                """,
                [.integer(granted.count), .text(clientID), .text(scope)])
            granted.append(scope)
        }
        return granted
    }

    /// Adds a secret that holds until it is replaced, unless it is there; gives the number of rows.
    @discardableResult
    func addSecret(_ digest: [UInt8], to clientID: String, now: Double) throws -> Int {
        try self.execute(
            """
            INSERT INTO client_secret (client, digest, created_at)
            SELECT id, ?, ? FROM client WHERE client_id = ?
            AND NOT EXISTS (SELECT 1 FROM client_secret WHERE client_secret.client = client.id AND digest = ?)
            """,
            [.blob(digest), .integer(StoredTime.second(now)), .text(clientID), .blob(digest)])
    }
}
