import GRDB

/// The schema, as a list of steps. A step that was released is never changed: what comes later is a new step.
enum SQLiteMigrations {
    static var all: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 clients and signing keys", migrate: Self.clientsAndKeys)
        migrator.registerMigration("2 revocations", migrate: Self.revocations)
        return migrator
    }

    @Sendable
    private static func clientsAndKeys(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE setting (
                    name TEXT PRIMARY KEY NOT NULL,
                    value TEXT NOT NULL
                ) STRICT;
                CREATE TABLE scope (
                    id INTEGER PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE
                ) STRICT;
                CREATE TABLE client (
                    id INTEGER PRIMARY KEY,
                    client_id TEXT NOT NULL UNIQUE,
                    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
                    is_trusted INTEGER NOT NULL CHECK (is_trusted IN (0, 1)),
                    access_token_lifetime INTEGER NOT NULL CHECK (access_token_lifetime BETWEEN 1 AND 2147483647),
                    rate_limit_per_minute INTEGER NOT NULL CHECK (rate_limit_per_minute BETWEEN 1 AND 2147483647),
                    rate_limit_per_hour INTEGER NOT NULL CHECK (rate_limit_per_hour BETWEEN 1 AND 2147483647),
                    allowed_ips TEXT NOT NULL,
                    created_at INTEGER NOT NULL
                ) STRICT;
                CREATE TABLE client_scope (
                    client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
                    scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE RESTRICT,
                    position INTEGER NOT NULL,
                    PRIMARY KEY (client, scope)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE client_secret (
                    client INTEGER NOT NULL REFERENCES client (id) ON DELETE CASCADE,
                    digest BLOB NOT NULL CHECK (length(digest) = 32),
                    created_at INTEGER NOT NULL,
                    PRIMARY KEY (client, digest)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE signing_key (
                    id INTEGER PRIMARY KEY,
                    kid TEXT NOT NULL UNIQUE,
                    algorithm TEXT NOT NULL,
                    sealed BLOB NOT NULL,
                    created_at INTEGER NOT NULL
                ) STRICT;
                """)
    }

    /// Numbers are never used again: whoever marks or goes on from a number means that one row.
    @Sendable
    private static func revocations(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE revocation (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    member TEXT NOT NULL UNIQUE,
                    until INTEGER NOT NULL,
                    is_published INTEGER NOT NULL CHECK (is_published IN (0, 1))
                ) STRICT;
                CREATE INDEX revocation_until ON revocation (until);
                CREATE INDEX revocation_waiting ON revocation (id) WHERE is_published = 0;
                """)
    }
}
