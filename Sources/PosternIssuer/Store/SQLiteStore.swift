import Foundation
import GRDB

/// The embedded store: one SQLite file in WAL mode, with foreign keys, synchronous commits, and 5 seconds of patience for
/// another writer.
struct SQLiteStore: IssuerStore {
    let pool: DatabasePool

    /// Opens or makes the file and brings its schema up to date. A file that a newer version has written is refused.
    init(path: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.label = "issuer"
        do {
            self.pool = try DatabasePool(path: path, configuration: configuration)
            let migrator = SQLiteMigrations.all
            if try self.pool.read(migrator.hasBeenSuperseded) {
                throw IssuerStartError.store("\(path) was written by a newer version of postern-issuer")
            }
            try migrator.migrate(self.pool)
            // WAL's usual NORMAL may lose the last commits when power fails. Writes are rare here, and what was
            // acknowledged (a registration, a revocation) has to stay.
            try self.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        } catch let error as DatabaseError {
            throw IssuerStartError.store("\(path) cannot be opened: \(error.message ?? error.resultCode.description)")
        }
    }

    func ping() async throws {
        _ = try await self.pool.read { try Int.fetchOne($0, sql: "SELECT 1") }
    }
}
