import GRDB
import PosternCore

extension SQLiteStore {
    func addRevocation(_ revocation: Revocation, until: Int, now: Double, audit: AuditEntry) async throws {
        let member = String(decoding: revocation.serialized, as: UTF8.self)
        try await self.pool.write { database in
            try database.execute(sql: "DELETE FROM revocation WHERE until <= ?", arguments: [Int(now)])
            try database.execute(
                sql: """
                    INSERT INTO revocation (member, until, is_published) VALUES (?, ?, 0)
                    ON CONFLICT (member) DO NOTHING
                    """,
                arguments: [member, until])
        }
    }

    func unpublishedRevocations(now: Double, limit: Int) async throws -> [StoredRevocation] {
        try await self.pool.read { database in
            try Self.revocations(
                database.cachedStatement(
                    sql: """
                        SELECT id, member, until FROM revocation WHERE is_published = 0 AND until > ?
                        ORDER BY id LIMIT ?
                        """),
                [Int(now), limit])
        }
    }

    func publishedRevocations(after id: Int64, now: Double, limit: Int) async throws -> [StoredRevocation] {
        try await self.pool.read { database in
            try Self.revocations(
                database.cachedStatement(
                    sql: """
                        SELECT id, member, until FROM revocation WHERE is_published = 1 AND id > ? AND until > ?
                        ORDER BY id LIMIT ?
                        """),
                [id, Int(now), limit])
        }
    }

    func markRevocationsPublished(through id: Int64) async throws {
        try await self.pool.write { database in
            try database.execute(
                sql: "UPDATE revocation SET is_published = 1 WHERE is_published = 0 AND id <= ?", arguments: [id])
        }
    }

    private static func revocations(
        _ statement: Statement, _ arguments: StatementArguments
    ) throws -> [StoredRevocation] {
        try Row.fetchAll(statement, arguments: arguments).map { row in
            StoredRevocation(id: row["id"], member: row["member"], until: row["until"])
        }
    }
}
