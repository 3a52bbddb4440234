extension SQLStore {
    func signingKeys() async throws -> [StoredSigningKey] {
        try SigningKeyRows.read(try await self.database.rows(SigningKeyRows.select))
    }

    func addSigningKeyIfFirst(_ key: StoredSigningKey) async throws -> [StoredSigningKey] {
        try await self.database.write { connection in
            let other = try connection.first(
                "SELECT 1 FROM signing_key WHERE algorithm = ?", [.text(key.algorithm)])
            if other == nil { try connection.add(key) }
            return try SigningKeyRows.read(try connection.rows(SigningKeyRows.select, []))
        }
    }

    func addNextSigningKey(
        _ key: StoredSigningKey, now: Double, audit: AuditEntry
    ) async throws -> (keys: [StoredSigningKey], added: Bool) {
        try await self.database.write { connection in
            let waiting = try connection.first(
                "SELECT 1 FROM signing_key WHERE algorithm = ? AND signs_from > ?",
                [.text(key.algorithm), .integer(StoredTime.second(now))])
            if waiting == nil {
                try connection.add(key)
                try connection.add(audit)
            }
            let keys = try SigningKeyRows.read(try connection.rows(SigningKeyRows.select, []))
            return (keys, waiting == nil)
        }
    }

    func removeSigningKeys(_ kids: [String]) async throws {
        try await self.database.write { connection in
            for kid in kids { try connection.execute("DELETE FROM signing_key WHERE kid = ?", [.text(kid)]) }
        }
    }

    func longestAccessTokenLifetime(floor: Int) async throws -> Int {
        let rows = try await self.database.rows(
            "SELECT value FROM setting WHERE name = 'longest_access_token_lifetime'")
        return max(floor, try LongestLifetime.read(rows))
    }
}

/// Signing keys as rows.
private enum SigningKeyRows {
    /// All, newest first.
    static let select = "SELECT kid, algorithm, sealed, created_at, signs_from FROM signing_key ORDER BY id DESC"

    static func read(_ rows: [SQLRow]) throws(StoreError) -> [StoredSigningKey] {
        var keys: [StoredSigningKey] = []
        for row in rows {
            var cells = SQLCells(row)
            keys.append(
                StoredSigningKey(
                    kid: try cells.text(), algorithm: try cells.text(), sealed: try cells.blob(),
                    createdAt: try cells.integer(), signsFrom: try cells.integer()))
        }
        return keys
    }
}

/// The longest lifetime of an access token that any client ever had, in seconds; among the settings.
enum LongestLifetime {
    static func read(_ rows: [SQLRow]) throws(StoreError) -> Int {
        guard let row = rows.first else { return 0 }
        var cells = SQLCells(row)
        guard let seconds = Int(try cells.text()) else { throw .malformed("the longest lifetime is no number") }
        return seconds
    }
}

extension SQLConnection {
    fileprivate func add(_ key: StoredSigningKey) throws {
        try self.execute(
            "INSERT INTO signing_key (kid, algorithm, sealed, created_at, signs_from) VALUES (?, ?, ?, ?, ?)",
            [
                .text(key.kid), .text(key.algorithm), .blob(key.sealed), .integer(key.createdAt),
                .integer(key.signsFrom),
            ])
    }

    private func longestLifetime() throws -> Int {
        try LongestLifetime.read(
            try self.rows("SELECT value FROM setting WHERE name = 'longest_access_token_lifetime'", []))
    }

    /// Takes the lifetime of a client's access tokens into the longest one.
    func keepLongest(_ lifetime: Int) throws {
        guard try lifetime > self.longestLifetime() else { return }
        try self.execute(
            """
            INSERT INTO setting (name, value) VALUES ('longest_access_token_lifetime', ?)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """,
            [.text(String(lifetime))])
    }

    /// For how many seconds a token that is issued now may be good somewhere, at most. Tokens that no client asked for
    /// live less than the hour that this begins with.
    func longestTokenLife() throws -> Int {
        try max(self.longestLifetime(), 3600) + Int(RevocationService.leeway)
    }
}
