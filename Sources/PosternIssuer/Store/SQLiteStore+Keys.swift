import Foundation
import GRDB

extension SQLiteStore {
    func signingKeys() async throws -> [StoredSigningKey] {
        try await self.pool.read(Self.allKeys)
    }

    func addSigningKeyIfFirst(_ key: StoredSigningKey) async throws -> [StoredSigningKey] {
        try await self.pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO signing_key (kid, algorithm, sealed, created_at)
                    SELECT ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM signing_key WHERE algorithm = ?)
                    """,
                arguments: [key.kid, key.algorithm, Data(key.sealed), key.createdAt, key.algorithm])
            return try Self.allKeys(database)
        }
    }

    @Sendable
    private static func allKeys(_ database: Database) throws -> [StoredSigningKey] {
        let rows = try Row.fetchAll(
            database, sql: "SELECT kid, algorithm, sealed, created_at FROM signing_key ORDER BY id DESC")
        return rows.map { row in
            StoredSigningKey(
                kid: row["kid"], algorithm: row["algorithm"], sealed: [UInt8](row["sealed"] as Data),
                createdAt: row["created_at"], signsFrom: row["created_at"])
        }
    }
}
