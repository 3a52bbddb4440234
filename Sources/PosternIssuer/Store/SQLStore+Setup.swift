extension SQLStore {
    func purpose() async throws -> StorePurpose? {
        guard let row = try await self.database.rows("SELECT value FROM setting WHERE name = 'purpose'").first else {
            return nil
        }
        var cells = SQLCells(row)
        guard let purpose = StorePurpose(rawValue: try cells.text()) else {
            throw StoreError.malformed("its purpose is none")
        }
        return purpose
    }

    func prepare(
        purpose: StorePurpose, clients: [ClientRegistration], scopes: [String], now: Double
    ) async throws {
        try await self.database.write { connection in
            var changes = try connection.execute(
                "INSERT INTO setting (name, value) VALUES ('purpose', ?) ON CONFLICT (name) DO NOTHING",
                [.text(purpose.rawValue)])
            for scope in scopes { changes += try connection.add(scope: scope) }
            for registration in clients {
                if try connection.add(registration.client, now: now) { changes += 1 }
                changes += try connection.replaceSecrets(
                    of: registration.client.clientID, with: registration.secretDigest, now: now)
            }
            guard changes > 0 else { return }
            try connection.add(
                AuditEntry(
                    time: now, action: .storePrepared, isAllowed: true, actor: "command", reason: purpose.rawValue))
        }
    }
}

extension SQLConnection {
    /// Makes the secret the client's only one; gives how many rows that took.
    fileprivate func replaceSecrets(of clientID: String, with digest: [UInt8], now: Double) throws -> Int {
        let removed = try self.execute(
            "DELETE FROM client_secret WHERE client = (SELECT id FROM client WHERE client_id = ?) AND digest <> ?",
            [.text(clientID), .blob(digest)])
        // One that was to end holds on.
        let kept = try self.execute(
            """
            UPDATE client_secret SET ends_at = NULL
            WHERE client = (SELECT id FROM client WHERE client_id = ?) AND ends_at IS NOT NULL
            """,
            [.text(clientID)])
        return try removed + kept + self.addSecret(digest, to: clientID, now: now)
    }
}
