import PosternCore

extension SQLStore {
    func addSession(_ session: Session, token: RefreshToken, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            // Those of which nothing is good any more.
            try connection.execute("DELETE FROM session WHERE until <= ?", [.integer(session.createdAt)])
            var cut = try connection.first(
                "SELECT tokens_valid_from FROM account WHERE id = ?", [.text(session.userID)])
            // Between the password and here all his tokens may have been revoked, these among them.
            let isCut = try (cut?.integer() ?? 0) > token.issuedAt
            try connection.execute(
                "INSERT INTO session (id, account, client_id, created_at, ended_at, until) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    .text(session.id), .text(session.userID), .optional(session.clientID), .integer(session.createdAt),
                    .optional(session.endedAt ?? (isCut ? session.createdAt : nil)), .integer(token.lastUse),
                ])
            try connection.add(token, to: session.id)
            try connection.add(audit)
        }
    }

    func session(ofToken digest: [UInt8]) async throws -> (session: Session, token: RefreshToken)? {
        try await self.database.rows(SessionRows.select, [.blob(digest)]).first.map(SessionRows.read)
    }

    func rotate(
        _ digest: [UInt8], to next: RefreshToken, now: Double, audit: AuditEntry
    ) async throws -> RefreshOutcome {
        try await self.database.write { connection in
            guard let found = try connection.rows(SessionRows.select, [.blob(digest)]).first.map(SessionRows.read),
                found.session.endedAt == nil, Double(found.token.expiresAt) > now
            else { return .refused }
            var session = found.session
            guard found.token.usedAt == nil else {
                try connection.end(session.id, now: now)
                session.endedAt = StoredTime.second(now)
                var refusal = audit
                refusal.isAllowed = false
                refusal.reason = "token_reused"
                try connection.add(refusal)
                return .reused(session)
            }
            try connection.replace(found.token, by: next, in: session.id, now: now)
            try connection.add(audit)
            return .rotated(session)
        }
    }

    func endSession(_ id: String, now: Double, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            try connection.end(id, now: now)
            try connection.add(audit)
        }
    }
}

extension RefreshToken {
    /// When neither it nor its access token is good any more, wherever clocks are behind: Unix seconds.
    fileprivate var lastUse: Int {
        max(self.expiresAt, self.accessExpiresAt + Int(RevocationService.leeway))
    }
}

extension SQLConnection {
    fileprivate func add(_ token: RefreshToken, to session: String) throws {
        try self.execute(
            """
            INSERT INTO refresh_token (digest, session, issued_at, expires_at, access_token_id, access_expires_at, used_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .blob(token.digest), .text(session), .integer(token.issuedAt), .integer(token.expiresAt),
                .text(token.accessTokenID), .integer(token.accessExpiresAt), .optional(token.usedAt),
            ])
    }

    /// Marks a token as used and adds the next one; forgets used ones that are good for nothing, not even to be revoked.
    fileprivate func replace(
        _ token: RefreshToken, by next: RefreshToken, in session: String, now: Double
    ) throws {
        let second = SQLValue.integer(StoredTime.second(now))
        try self.execute("UPDATE refresh_token SET used_at = ? WHERE digest = ?", [second, .blob(token.digest)])
        try self.add(next, to: session)
        try self.execute(
            "UPDATE session SET until = ? WHERE id = ? AND until < ?",
            [.integer(next.lastUse), .text(session), .integer(next.lastUse)])
        try self.execute(
            """
            DELETE FROM refresh_token
            WHERE session = ? AND used_at IS NOT NULL AND expires_at <= ? AND access_expires_at <= ?
            """,
            [.text(session), second, .integer(StoredTime.second(now) - Int(RevocationService.leeway))])
    }

    /// Ends a session, and revokes the access tokens that may still be good. Nothing happens if it is over.
    fileprivate func end(_ session: String, now: Double) throws {
        guard
            try self.first("SELECT 1 FROM session WHERE id = ? AND ended_at IS NULL", [.text(session)]) != nil
        else { return }
        let second = StoredTime.second(now)
        let leeway = Int(RevocationService.leeway)
        try self.execute("UPDATE session SET ended_at = ? WHERE id = ?", [.integer(second), .text(session)])
        let tokens = try self.rows(
            "SELECT access_token_id, access_expires_at FROM refresh_token WHERE session = ? AND access_expires_at > ?",
            [.text(session), .integer(second - leeway)])
        for row in tokens {
            var cells = SQLCells(row)
            let revocation = Revocation(.tokenID(try cells.text()))
            try self.add(revocation, until: try cells.integer() + leeway, now: now)
        }
    }
}

/// Sessions and their tokens as rows.
private enum SessionRows {
    /// The session of the token with that digest, and the token.
    static let select = """
        SELECT session.id, session.account, session.client_id, session.created_at, session.ended_at, refresh_token.digest,
            refresh_token.issued_at, refresh_token.expires_at, refresh_token.access_token_id,
            refresh_token.access_expires_at, refresh_token.used_at
        FROM refresh_token JOIN session ON session.id = refresh_token.session WHERE refresh_token.digest = ?
        """

    static func read(_ row: SQLRow) throws(StoreError) -> (session: Session, token: RefreshToken) {
        var cells = SQLCells(row)
        let session = Session(
            id: try cells.text(), userID: try cells.text(), clientID: try cells.optionalText(),
            createdAt: try cells.integer(), endedAt: try cells.optionalInteger())
        let token = RefreshToken(
            digest: try cells.blob(), issuedAt: try cells.integer(), expiresAt: try cells.integer(),
            accessTokenID: try cells.text(), accessExpiresAt: try cells.integer(),
            usedAt: try cells.optionalInteger())
        return (session, token)
    }
}
