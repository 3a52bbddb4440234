import PosternCore

extension SQLStore {
    func addRevocation(_ revocation: Revocation, until: Int, now: Double, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            try connection.add(revocation, until: until, now: now)
            try connection.add(audit)
        }
    }

    func isRevoked(tokenID: String) async throws -> Bool {
        let member = Revocation(.tokenID(tokenID)).member
        return try await !self.database.rows("SELECT 1 FROM revocation WHERE member = ?", [.text(member)]).isEmpty
    }

    func unpublishedRevocations(now: Double, limit: Int) async throws -> [StoredRevocation] {
        try await self.database.rows(
            """
            SELECT id, member, until FROM revocation WHERE is_published = 0 AND until > ? ORDER BY id LIMIT ?
            """,
            [.integer(StoredTime.second(now)), .integer(limit)]
        ).map(Self.revocation)
    }

    func publishedRevocations(after id: Int64, now: Double, limit: Int) async throws -> [StoredRevocation] {
        try await self.database.rows(
            """
            SELECT id, member, until FROM revocation WHERE is_published = 1 AND id > ? AND until > ? ORDER BY id LIMIT ?
            """,
            [.integer(Int(id)), .integer(StoredTime.second(now)), .integer(limit)]
        ).map(Self.revocation)
    }

    func markRevocationsPublished(through id: Int64) async throws {
        _ = try await self.database.write { connection in
            try connection.execute(
                "UPDATE revocation SET is_published = 1 WHERE is_published = 0 AND id <= ?", [.integer(Int(id))])
        }
    }

    private static func revocation(_ row: SQLRow) throws(StoreError) -> StoredRevocation {
        var cells = SQLCells(row)
        return StoredRevocation(id: Int64(try cells.integer()), member: try cells.text(), until: try cells.integer())
    }
}

extension Revocation {
    /// As it lies in the store.
    fileprivate var member: String { String(decoding: self.serialized, as: UTF8.self) }
}

extension SQLConnection {
    /// Adds a revocation unless it is there; forgets those that are over.
    func add(_ revocation: Revocation, until: Int, now: Double) throws {
        try self.execute("DELETE FROM revocation WHERE until <= ?", [.integer(StoredTime.second(now))])
        try self.execute(
            "INSERT INTO revocation (member, until, is_published) VALUES (?, ?, 0) ON CONFLICT (member) DO NOTHING",
            [.text(revocation.member), .integer(until)])
    }

    /// Adds the revocation of all tokens of somebody from before `cut`, kept as long as one of them may be good.
    func revokeAll(_ revocation: Revocation, until cut: Int, now: Double) throws {
        try self.add(revocation, until: cut + (try self.longestTokenLife()), now: now)
    }
}
