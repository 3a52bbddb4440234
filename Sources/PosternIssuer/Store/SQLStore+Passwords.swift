extension SQLStore {
    func rehashPassword(of id: String, from old: String, to new: String, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            let changed = try connection.execute(
                "UPDATE account SET password_hash = ? WHERE id = ? AND password_hash = ? AND deleted_at IS NULL",
                [.text(new), .text(id), .text(old)])
            if changed > 0 { try connection.add(audit) }
        }
    }
}
