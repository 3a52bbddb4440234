import PosternCore

extension SQLStore {
    func addClient(_ registration: ClientRegistration, now: Double, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            let client = registration.client
            guard try connection.add(client, now: now) else { throw StoreRefusal.exists }
            try connection.addSecret(registration.secretDigest, to: client.clientID, now: now)
            try connection.add(audit)
        }
    }

    func changeClient(
        _ clientID: String, now: Double, audit: AuditEntry, _ change: @escaping @Sendable (inout ServiceClient) -> Void
    ) async throws -> ServiceClient {
        try await self.database.write { connection in
            let rows = try connection.rows(self.clientRows.selectOne, [.text(clientID)])
            guard let old = try ClientRows.read(rows).first else { throw StoreRefusal.missing }
            var client = old
            change(&client)
            client.clientID = old.clientID
            client.createdAt = old.createdAt
            client.updatedAt = StoredTime.second(now)
            client.tokensValidFrom = old.tokensValidFrom
            if old.isActive, !client.isActive {
                client.tokensValidFrom = try connection.cutTokens(
                    ofClient: clientID, validFrom: old.tokensValidFrom, now: now)
            }
            client.scopes = try connection.update(client)
            try connection.add(audit)
            return client
        }
    }

    func removeClient(_ clientID: String, now: Double, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            let rows = try connection.rows(self.clientRows.selectOne, [.text(clientID)])
            guard let client = try ClientRows.read(rows).first else { throw StoreRefusal.missing }
            let validFrom = try connection.cutTokens(
                ofClient: clientID, validFrom: client.tokensValidFrom, now: now)
            try connection.remember(removed: clientID, validFrom: validFrom, now: now)
            try connection.execute("DELETE FROM client WHERE client_id = ?", [.text(clientID)])
            try connection.add(audit)
        }
    }

    func rotateSecret(
        of clientID: String, to digest: [UInt8], oldUntil: Double, now: Double, audit: AuditEntry
    ) async throws {
        try await self.database.write { connection in
            try connection.change(
                "UPDATE client SET updated_at = ? WHERE client_id = ?",
                [.integer(StoredTime.second(now)), .text(clientID)])
            let until = oldUntil > now ? StoredTime.secondAfter(oldUntil) : StoredTime.second(now)
            try connection.execute(
                """
                UPDATE client_secret SET ends_at = ? WHERE client = (SELECT id FROM client WHERE client_id = ?)
                AND (ends_at IS NULL OR ends_at > ?)
                """,
                [.integer(until), .text(clientID), .integer(until)])
            try connection.execute(
                "DELETE FROM client_secret WHERE ends_at <= ?", [.integer(StoredTime.second(now))])
            try connection.addSecret(digest, to: clientID, now: now)
            try connection.add(audit)
        }
    }
}

extension SQLConnection {
    /// Changes what a stranger has named. Throws `StoreRefusal.missing` if it is not there; a name with U+0000 never is.
    func change(_ sql: String, _ arguments: [SQLValue]) throws {
        guard !arguments.contains(where: \.holdsNUL), try self.execute(sql, arguments) > 0 else {
            throw StoreRefusal.missing
        }
    }

    /// Revokes all tokens of a client until now, and ends the sessions of users who logged in through it. Gives its new
    /// `tokensValidFrom`.
    fileprivate func cutTokens(ofClient clientID: String, validFrom: Int, now: Double) throws -> Int {
        let cut = max(validFrom, StoredTime.second(now) + 1)
        try self.execute(
            "UPDATE session SET ended_at = ? WHERE client_id = ? AND ended_at IS NULL",
            [.integer(StoredTime.second(now)), .text(clientID)])
        try self.revokeAll(Revocation(.client(clientID, before: Double(cut))), until: cut, now: now)
        return cut
    }

    /// For whoever registers under that name next, until no token of the removed client can be good any more.
    fileprivate func remember(removed clientID: String, validFrom: Int, now: Double) throws {
        try self.execute(
            "DELETE FROM removed_client WHERE tokens_valid_from <= ?",
            [.integer(StoredTime.second(now) - (try self.longestTokenLife()))])
        try self.execute(
            """
            INSERT INTO removed_client (client_id, tokens_valid_from) VALUES (?, ?)
            ON CONFLICT (client_id) DO UPDATE SET tokens_valid_from = excluded.tokens_valid_from
            """,
            [.text(clientID), .integer(validFrom)])
    }
}
