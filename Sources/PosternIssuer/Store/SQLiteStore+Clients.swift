import Foundation
import GRDB

extension SQLiteStore {
    func secretDigests(of clientID: String, now: Double) async throws -> [[UInt8]] {
        try await self.pool.read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT client_secret.digest FROM client_secret
                    JOIN client ON client.id = client_secret.client WHERE client.client_id = ?
                    """)
            return try Data.fetchAll(statement, arguments: [clientID]).map { [UInt8]($0) }
        }
    }

    func client(_ clientID: String) async throws -> ServiceClient? {
        try await self.pool.read { database in
            let select = try database.cachedStatement(sql: "SELECT * FROM client WHERE client_id = ?")
            guard let row = try Row.fetchOne(select, arguments: [clientID]) else { return nil }
            let scopes = try database.cachedStatement(
                sql: """
                    SELECT scope.name FROM client_scope JOIN scope ON scope.id = client_scope.scope
                    WHERE client_scope.client = ? ORDER BY client_scope.position
                    """)
            return try Self.client(row, scopes: String.fetchAll(scopes, arguments: [row["id"] as Int64]))
        }
    }

    func scopes() async throws -> [String] {
        try await self.pool.read { try String.fetchAll($0, sql: "SELECT name FROM scope ORDER BY id") }
    }

    func purpose() async throws -> StorePurpose? {
        try await self.pool.read { database in
            try String.fetchOne(database, sql: "SELECT value FROM setting WHERE name = 'purpose'")
                .flatMap(StorePurpose.init)
        }
    }

    func prepare(
        purpose: StorePurpose, clients: [ClientRegistration], scopes: [String], now: Double
    ) async throws {
        try await self.pool.write { database in
            try database.execute(
                sql: "INSERT INTO setting (name, value) VALUES ('purpose', ?) ON CONFLICT (name) DO NOTHING",
                arguments: [purpose.rawValue])
            for scope in scopes { try Self.add(scope: scope, to: database) }
            for registration in clients { try Self.register(registration, in: database, now: now) }
        }
    }

    private static func add(scope: String, to database: Database) throws {
        try database.execute(
            sql: "INSERT INTO scope (name) VALUES (?) ON CONFLICT (name) DO NOTHING", arguments: [scope])
    }

    /// A client that is there already keeps its settings; the given secret becomes its only one.
    private static func register(_ registration: ClientRegistration, in database: Database, now: Double) throws {
        let client = registration.client
        try database.execute(
            sql: """
                INSERT INTO client (client_id, is_active, is_trusted, access_token_lifetime, rate_limit_per_minute,
                    rate_limit_per_hour, allowed_ips, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (client_id) DO NOTHING
                """,
            arguments: [
                client.clientID, client.isActive, client.isTrusted, client.accessTokenLifetime,
                client.rateLimits.perMinute, client.rateLimits.perHour,
                client.allowedAddresses.map(\.description).joined(separator: ","), Int(now),
            ])
        let isNew = database.changesCount > 0
        guard
            let id = try Int64.fetchOne(
                database, sql: "SELECT id FROM client WHERE client_id = ?", arguments: [client.clientID])
        else { return }
        if isNew { try Self.grant(client.scopes, to: id, in: database) }
        try database.execute(
            sql: "DELETE FROM client_secret WHERE client = ? AND digest <> ?",
            arguments: [id, Data(registration.secretDigest)])
        try database.execute(
            sql: "INSERT INTO client_secret (client, digest, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            arguments: [id, Data(registration.secretDigest), Int(now)])
    }

    private static func grant(_ scopes: [String], to client: Int64, in database: Database) throws {
        for (position, scope) in scopes.enumerated() {
            try Self.add(scope: scope, to: database)
            try database.execute(
                sql: """
                    INSERT INTO client_scope (client, scope, position)
                    SELECT ?, id, ? FROM scope WHERE name = ?
                    """,
                arguments: [client, position, scope])
        }
    }

    private static func client(_ row: Row, scopes: [String]) throws -> ServiceClient {
        guard let blocks = AddressBlock.list(row["allowed_ips"]) else {
            throw DatabaseError(resultCode: .SQLITE_MISMATCH, message: "allowed_ips of a client is malformed")
        }
        return ServiceClient(
            clientID: row["client_id"],
            isActive: row["is_active"],
            isTrusted: row["is_trusted"],
            accessTokenLifetime: row["access_token_lifetime"],
            rateLimits: RateLimits(perMinute: row["rate_limit_per_minute"], perHour: row["rate_limit_per_hour"]),
            allowedAddresses: blocks,
            scopes: scopes)
    }
}
