extension SQLStore {
    private static let select =
        "SELECT uuid, name, description, prefix, digest, created_at, revoked_at FROM service_key"

    func addServiceKey(_ key: ServiceKey, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            let isTaken = try connection.first(
                "SELECT 1 FROM service_key WHERE name = ? AND revoked_at IS NULL", [.text(key.name)])
            guard isTaken == nil else { throw StoreRefusal.exists }
            try connection.execute(
                """
                INSERT INTO service_key (uuid, name, description, prefix, digest, created_at, revoked_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .text(key.id), .text(key.name), .text(key.description), .text(key.prefix), .blob(key.digest),
                    .integer(key.createdAt), .optional(key.revokedAt),
                ])
            try connection.add(audit)
        }
    }

    func serviceKeys() async throws -> [ServiceKey] {
        try await self.database.rows(Self.select + " ORDER BY id").map(Self.key)
    }

    func serviceKey(digest: [UInt8]) async throws -> ServiceKey? {
        try await self.database.rows(
            Self.select + " WHERE digest = ? AND revoked_at IS NULL", [.blob(digest)]
        ).first.map(Self.key)
    }

    func revokeServiceKey(named name: String, now: Double, audit: AuditEntry) async throws {
        try await self.database.write { connection in
            try connection.change(
                "UPDATE service_key SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL",
                [.integer(StoredTime.second(now)), .text(name)])
            try connection.add(audit)
        }
    }

    private static func key(_ row: SQLRow) throws(StoreError) -> ServiceKey {
        var cells = SQLCells(row)
        return ServiceKey(
            id: try cells.text(), name: try cells.text(), description: try cells.text(), prefix: try cells.text(),
            digest: try cells.blob(), createdAt: try cells.integer(), revokedAt: try cells.optionalInteger())
    }
}
