extension SQLStore {
    func addAudit(_ entries: [AuditEntry]) async throws {
        guard !entries.isEmpty else { return }
        try await self.database.write { connection in
            for entry in entries { try connection.add(entry) }
        }
    }

    func auditEntries(limit: Int) async throws -> [AuditEntry] {
        try await self.database.rows(
            """
            SELECT time, action, is_allowed, actor, target, reason, address, request_id FROM audit
            ORDER BY id DESC LIMIT ?
            """,
            [.integer(max(limit, 0))]
        ).map(Self.entry)
    }

    func removeAudit(before time: Double) async throws -> Int {
        try await self.database.write { connection in
            try connection.execute("DELETE FROM audit WHERE time < ?", [.integer(StoredTime.microseconds(time))])
        }
    }

    private static func entry(_ row: SQLRow) throws(StoreError) -> AuditEntry {
        var cells = SQLCells(row)
        let time = StoredTime.time(microseconds: try cells.integer())
        guard let action = AuditEntry.Action(rawValue: try cells.text()) else {
            throw .malformed("an audit entry has an action that there is not")
        }
        return AuditEntry(
            time: time, action: action, isAllowed: try cells.flag(), actor: try cells.optionalText(),
            target: try cells.optionalText(), reason: try cells.optionalText(), address: try cells.optionalText(),
            requestID: try cells.optionalText())
    }
}

extension SQLConnection {
    func add(_ entry: AuditEntry) throws {
        try self.execute(
            """
            INSERT INTO audit (time, action, is_allowed, actor, target, reason, address, request_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(StoredTime.microseconds(entry.time)), .text(entry.action.rawValue), .flag(entry.isAllowed),
                Self.text(entry.actor), Self.text(entry.target), Self.text(entry.reason), Self.text(entry.address),
                Self.text(entry.requestID),
            ])
    }

    /// U+0000 is replaced: what somebody named must not be able to keep an entry out of the log.
    private static func text(_ text: String?) -> SQLValue {
        guard let text, text.holdsNUL else { return .optional(text) }
        return .text(text.replacing("\0", with: "\u{FFFD}"))
    }
}
