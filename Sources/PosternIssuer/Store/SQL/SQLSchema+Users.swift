extension SQLSchema {
    /// `user` is a word of SQL, hence `account`. `roles` and `permissions` are JSON arrays of strings. A session's
    /// `until` is when nothing that it was given is good any more.
    @Sendable
    static func usersAndSessions(_ sql: SQLDialect) -> String {
        """
        CREATE TABLE account (
            id \(sql.text) PRIMARY KEY NOT NULL,
            username \(sql.text) NOT NULL,
            email \(sql.text) NOT NULL,
            is_email_verified \(sql.integer) NOT NULL CHECK (is_email_verified IN (0, 1)),
            is_active \(sql.integer) NOT NULL CHECK (is_active IN (0, 1)),
            is_admin \(sql.integer) NOT NULL CHECK (is_admin IN (0, 1)),
            roles \(sql.text) NOT NULL,
            permissions \(sql.text) NOT NULL,
            expires_on \(sql.integer),
            password_hash \(sql.text) NOT NULL,
            created_at \(sql.integer) NOT NULL,
            updated_at \(sql.integer) NOT NULL,
            deleted_at \(sql.integer),
            tokens_valid_from \(sql.integer) NOT NULL
        )\(sql.tableOptions);
        CREATE UNIQUE INDEX account_username ON account (username) WHERE deleted_at IS NULL;
        CREATE UNIQUE INDEX account_email ON account (lower(email)) WHERE deleted_at IS NULL AND email <> '';
        CREATE TABLE session (
            id \(sql.text) PRIMARY KEY NOT NULL,
            account \(sql.text) NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            client_id \(sql.text),
            created_at \(sql.integer) NOT NULL,
            ended_at \(sql.integer),
            until \(sql.integer) NOT NULL
        )\(sql.tableOptions);
        CREATE INDEX session_account ON session (account);
        CREATE INDEX session_client ON session (client_id);
        CREATE INDEX session_until ON session (until);
        CREATE TABLE refresh_token (
            digest \(sql.blob) PRIMARY KEY NOT NULL CHECK (length(digest) = 32),
            session \(sql.text) NOT NULL REFERENCES session (id) ON DELETE CASCADE,
            issued_at \(sql.integer) NOT NULL,
            expires_at \(sql.integer) NOT NULL,
            access_token_id \(sql.text) NOT NULL,
            access_expires_at \(sql.integer) NOT NULL,
            used_at \(sql.integer)
        )\(sql.keyedTableOptions);
        CREATE INDEX refresh_token_session ON refresh_token (session);
        """
    }

    /// `audit.time` is in microseconds since 1970.
    @Sendable
    static func keysAndAudit(_ sql: SQLDialect) -> String {
        """
        CREATE TABLE service_key (
            id \(sql.growingIdentity),
            uuid \(sql.text) NOT NULL UNIQUE,
            name \(sql.text) NOT NULL,
            description \(sql.text) NOT NULL,
            prefix \(sql.text) NOT NULL,
            digest \(sql.blob) NOT NULL UNIQUE CHECK (length(digest) = 32),
            created_at \(sql.integer) NOT NULL,
            revoked_at \(sql.integer)
        )\(sql.tableOptions);
        CREATE UNIQUE INDEX service_key_name ON service_key (name) WHERE revoked_at IS NULL;
        CREATE TABLE assertion (
            identifier \(sql.blob) PRIMARY KEY NOT NULL CHECK (length(identifier) = 32),
            until \(sql.integer) NOT NULL
        )\(sql.keyedTableOptions);
        CREATE INDEX assertion_until ON assertion (until);
        CREATE TABLE audit (
            id \(sql.growingIdentity),
            time \(sql.integer) NOT NULL,
            action \(sql.text) NOT NULL,
            is_allowed \(sql.integer) NOT NULL CHECK (is_allowed IN (0, 1)),
            actor \(sql.text),
            target \(sql.text),
            reason \(sql.text),
            address \(sql.text),
            request_id \(sql.text)
        )\(sql.tableOptions);
        CREATE INDEX audit_time ON audit (time);
        """
    }
}
