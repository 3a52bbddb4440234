import PosternCore

extension SQLStore {
    func user(id: String) async throws -> User? {
        try await self.database.rows(UserRows.select + " WHERE id = ?", [.text(id)]).first.map(UserRows.user)
    }

    func user(named username: String) async throws -> User? {
        try await self.database.rows(
            UserRows.select + " WHERE username = ? AND deleted_at IS NULL", [.text(username)]
        ).first.map(UserRows.user)
    }

    func users(after id: String?, limit: Int) async throws -> Page<User> {
        let rows = try await self.database.rows(
            UserRows.select + " WHERE id > ? AND deleted_at IS NULL ORDER BY id LIMIT ?",
            [.text(id ?? ""), .integer(max(limit, 0) + 1)])
        return Page(try rows.map(UserRows.user), limit: limit, key: \.id)
    }

    func addUser(_ user: User, now: Double, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            var user = user
            user.createdAt = StoredTime.second(now)
            user.updatedAt = user.createdAt
            user.deletedAt = nil
            user.tokensValidFrom = 0
            try connection.refuseDouble(user)
            try connection.add(user)
            try connection.add(audit)
        }
    }

    func changeUser(
        _ id: String, now: Double, audit: AuditEntry, _ change: @escaping @Sendable (inout User) -> Void
    ) async throws -> User {
        try await self.database.write { connection in
            let old = try connection.presentUser(id)
            var user = old
            change(&user)
            user.id = old.id
            user.createdAt = old.createdAt
            user.updatedAt = StoredTime.second(now)
            user.deletedAt = nil
            user.tokensValidFrom = old.tokensValidFrom
            if user.username != old.username || user.email != old.email { try connection.refuseDouble(user) }
            if (old.isActive && !user.isActive) || user.passwordHash != old.passwordHash {
                user.tokensValidFrom = try connection.cutTokens(of: old, now: now)
            }
            try connection.update(user)
            try connection.add(audit)
            return user
        }
    }

    func removeUser(_ id: String, now: Double, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            var user = try connection.presentUser(id)
            user.deletedAt = StoredTime.second(now)
            user.updatedAt = StoredTime.second(now)
            user.tokensValidFrom = try connection.cutTokens(of: user, now: now)
            try connection.update(user)
            try connection.add(audit)
        }
    }

    func endAllSessions(ofUser id: String, now: Double, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            var user = try connection.presentUser(id)
            user.tokensValidFrom = try connection.cutTokens(of: user, now: now)
            try connection.update(user)
            try connection.add(audit)
        }
    }
}

extension SQLConnection {
    /// The user, who is not deleted. Throws `StoreRefusal.missing`.
    fileprivate func presentUser(_ id: String) throws -> User {
        let rows = try self.rows(UserRows.select + " WHERE id = ? AND deleted_at IS NULL", [.text(id)])
        guard let user = try rows.first.map(UserRows.user) else { throw StoreRefusal.missing }
        return user
    }

    /// Throws `StoreRefusal.exists` if another one who is not deleted has the name or the e-mail address, in whichever
    /// case its ASCII letters are.
    fileprivate func refuseDouble(_ user: User) throws {
        let others = try self.rows(
            """
            SELECT 1 FROM account WHERE (username = ? OR (email <> '' AND lower(email) = lower(?)))
            AND id <> ? AND deleted_at IS NULL
            """,
            [.text(user.username), .text(user.email), .text(user.id)])
        guard others.isEmpty else { throw StoreRefusal.exists }
    }

    fileprivate func add(_ user: User) throws {
        try self.execute(
            """
            INSERT INTO account (username, email, is_email_verified, is_active, is_admin, roles, permissions, expires_on,
                password_hash, created_at, updated_at, deleted_at, tokens_valid_from, id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            UserRows.values(user))
    }

    fileprivate func update(_ user: User) throws {
        try self.execute(
            """
            UPDATE account SET username = ?, email = ?, is_email_verified = ?, is_active = ?, is_admin = ?, roles = ?,
                permissions = ?, expires_on = ?, password_hash = ?, created_at = ?, updated_at = ?, deleted_at = ?,
                tokens_valid_from = ?
            WHERE id = ?
            """,
            UserRows.values(user))
    }

    /// Ends a user's sessions and revokes all his tokens until now. Gives his new `tokensValidFrom`.
    fileprivate func cutTokens(of user: User, now: Double) throws -> Int {
        let cut = max(user.tokensValidFrom, StoredTime.second(now) + 1)
        try self.execute(
            "UPDATE session SET ended_at = ? WHERE account = ? AND ended_at IS NULL",
            [.integer(StoredTime.second(now)), .text(user.id)])
        try self.revokeAll(Revocation(.subject(user.id, before: Double(cut))), until: cut, now: now)
        return cut
    }
}
