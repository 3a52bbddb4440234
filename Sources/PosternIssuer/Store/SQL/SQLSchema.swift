/// The schema, as a list of steps. A step that was released is never changed: what comes later is a new step.
enum SQLSchema {
    /// A step, known by its name for ever.
    struct Step: Sendable {
        var name: String
        /// Its statements.
        var script: @Sendable (SQLDialect) -> String
    }

    static let steps = [
        Step(name: "1 clients and signing keys", script: Self.clientsAndKeys),
        Step(name: "2 revocations", script: Self.revocations),
        Step(name: "3 what clients are told apart by", script: Self.clientDetails),
        Step(name: "4 users and sessions", script: Self.usersAndSessions),
        Step(name: "5 service keys, assertions and audit", script: Self.keysAndAudit),
        Step(name: "6 scopes of a client in their order", script: Self.scopeOrder),
    ]

    @Sendable
    private static func clientsAndKeys(_ sql: SQLDialect) -> String {
        """
        CREATE TABLE setting (
            name \(sql.text) PRIMARY KEY NOT NULL,
            value \(sql.text) NOT NULL
        )\(sql.tableOptions);
        CREATE TABLE scope (
            id \(sql.identity),
            name \(sql.text) NOT NULL UNIQUE
        )\(sql.tableOptions);
        CREATE TABLE client (
            id \(sql.identity),
            client_id \(sql.text) NOT NULL UNIQUE,
            is_active \(sql.integer) NOT NULL CHECK (is_active IN (0, 1)),
            is_trusted \(sql.integer) NOT NULL CHECK (is_trusted IN (0, 1)),
            access_token_lifetime \(sql.integer) NOT NULL CHECK (access_token_lifetime BETWEEN 1 AND 2147483647),
            rate_limit_per_minute \(sql.integer) NOT NULL CHECK (rate_limit_per_minute BETWEEN 1 AND 2147483647),
            rate_limit_per_hour \(sql.integer) NOT NULL CHECK (rate_limit_per_hour BETWEEN 1 AND 2147483647),
            allowed_ips \(sql.text) NOT NULL,
            created_at \(sql.integer) NOT NULL
        )\(sql.tableOptions);
        CREATE TABLE client_scope (
            client \(sql.integer) NOT NULL REFERENCES client (id) ON DELETE CASCADE,
            scope \(sql.integer) NOT NULL REFERENCES scope (id) ON DELETE RESTRICT,
            position \(sql.integer) NOT NULL,
            PRIMARY KEY (client, scope)
        )\(sql.keyedTableOptions);
        CREATE TABLE client_secret (
            client \(sql.integer) NOT NULL REFERENCES client (id) ON DELETE CASCADE,
            digest \(sql.blob) NOT NULL CHECK (length(digest) = 32),
            created_at \(sql.integer) NOT NULL,
            PRIMARY KEY (client, digest)
        )\(sql.keyedTableOptions);
        CREATE TABLE signing_key (
            id \(sql.identity),
            kid \(sql.text) NOT NULL UNIQUE,
            algorithm \(sql.text) NOT NULL,
            sealed \(sql.blob) NOT NULL,
            created_at \(sql.integer) NOT NULL
        )\(sql.tableOptions);
        """
    }

    /// Numbers are never used again: whoever marks or goes on from a number means that one row.
    @Sendable
    private static func revocations(_ sql: SQLDialect) -> String {
        """
        CREATE TABLE revocation (
            id \(sql.growingIdentity),
            member \(sql.text) NOT NULL UNIQUE,
            until \(sql.integer) NOT NULL,
            is_published \(sql.integer) NOT NULL CHECK (is_published IN (0, 1))
        )\(sql.tableOptions);
        CREATE INDEX revocation_until ON revocation (until);
        CREATE INDEX revocation_waiting ON revocation (id) WHERE is_published = 0;
        """
    }

    /// `key_set` is a JWK set as JSON. `ends_at` is null for a secret that holds until it is replaced. A key of before
    /// signs from its first moment on.
    @Sendable
    private static func clientDetails(_ sql: SQLDialect) -> String {
        """
        ALTER TABLE client ADD COLUMN name \(sql.text) NOT NULL DEFAULT '';
        ALTER TABLE client ADD COLUMN description \(sql.text) NOT NULL DEFAULT '';
        ALTER TABLE client ADD COLUMN refresh_token_lifetime \(sql.integer) NOT NULL DEFAULT 86400
            CHECK (refresh_token_lifetime BETWEEN 1 AND 2147483647);
        ALTER TABLE client ADD COLUMN contact_email \(sql.text) NOT NULL DEFAULT '';
        ALTER TABLE client ADD COLUMN key_set \(sql.text);
        ALTER TABLE client ADD COLUMN updated_at \(sql.integer) NOT NULL DEFAULT 0;
        ALTER TABLE client ADD COLUMN tokens_valid_from \(sql.integer) NOT NULL DEFAULT 0;
        UPDATE client SET name = client_id, updated_at = created_at;
        ALTER TABLE client_secret ADD COLUMN ends_at \(sql.integer);
        ALTER TABLE signing_key ADD COLUMN signs_from \(sql.integer) NOT NULL DEFAULT 0;
        UPDATE signing_key SET signs_from = created_at;
        CREATE TABLE removed_client (
            client_id \(sql.text) PRIMARY KEY NOT NULL,
            tokens_valid_from \(sql.integer) NOT NULL
        )\(sql.keyedTableOptions);
        INSERT INTO setting (name, value)
            SELECT 'longest_access_token_lifetime', CAST(COALESCE(max(access_token_lifetime), 0) AS TEXT) FROM client;
        """
    }

    /// A client's scopes are read with each token, in their order: without sorting them each time.
    @Sendable
    private static func scopeOrder(_ sql: SQLDialect) -> String {
        "CREATE INDEX client_scope_order ON client_scope (client, position, scope);"
    }
}
