import ArgumentParser
import PosternIssuer

/// The options that every command has that opens the store. In the environment: POSTERN_ISSUER_STORE,
/// POSTERN_ISSUER_KEY_FILE.
struct StoreOptions: ParsableArguments {
    @Option(
        help: """
            sqlite:PATH (default sqlite:postern-issuer.sqlite), or postgres://user:password@host:port/database, with \
            ?sslmode=verify-full and the like. POSTERN_ISSUER_STORE_PASSWORD keeps the password off the command line.
            """)
    var store: String?

    @Option(
        help: """
            The file with the key that protects the store; made with the store (default PATH.key, for PostgreSQL \
            postern-issuer.key).
            """)
    var keyFile: String?

    var options: IssuerOptions {
        var options = IssuerOptions()
        options.store = self.store
        options.keyFile = self.keyFile
        return options
    }
}

/// For commands that make a signing key.
struct AlgorithmOption: ParsableArguments {
    @Option(
        help:
            "What is to sign the tokens: RS256, ES256 or EdDSA (default: as the store's last key; RS256 in a new one).")
    var algorithm: String?
}

/// For commands that change something.
struct AuditOption: ParsableArguments {
    @Option(help: "A file that the line for the audit log is appended to, besides its table.")
    var auditLog: String?
}

/// For what may revoke tokens.
struct RedisOptions: ParsableArguments {
    @Option(
        help: """
            Where revocations are published: redis://[user:password@]host[:6379][/db], \
            redis+sentinel://host,host/master[/db] or redis+cluster://host,host; rediss for TLS. \
            POSTERN_ISSUER_REDIS_PASSWORD keeps the password off the command line.
            """)
    var redis: String?

    @Option(name: .customLong("redis-ca"), help: "PEM file of the authorities that are trusted for rediss.")
    var redisCA: String?

    @Option(help: "What keys and channels begin with (default postern:); the same as redis.key_prefix of the proxies.")
    var redisKeyPrefix: String?

    func apply(to options: inout IssuerOptions) {
        options.redis = self.redis
        options.redisCA = self.redisCA
        options.redisKeyPrefix = self.redisKeyPrefix
    }
}

/// The options of commands that read.
struct ReadOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    func run(_ command: IssuerCommand) async throws {
        try await Terminal.run(command, self.store.options)
    }
}

/// The options of commands that change something.
struct ChangeOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions
    @OptionGroup var audit: AuditOption

    func run(_ command: IssuerCommand, _ more: (inout IssuerOptions) -> Void = { _ in }) async throws {
        var options = self.store.options
        options.auditLog = self.audit.auditLog
        more(&options)
        try await Terminal.run(command, options)
    }
}

/// The options of commands that may revoke tokens. Without --redis a server that runs on the same store publishes them.
struct RevokeOptions: ParsableArguments {
    @OptionGroup var change: ChangeOptions
    @OptionGroup var redis: RedisOptions

    func run(_ command: IssuerCommand) async throws {
        try await self.change.run(command) { self.redis.apply(to: &$0) }
    }
}

/// Which part of a list.
struct PageOptions: ParsableArguments {
    @Option(help: "At most so many, 1 to 500.")
    var limit = 100

    @Option(help: "`next` of the part before.")
    var after: String?

    var page: CommandPage { CommandPage(after: self.after, limit: self.limit) }

    func validate() throws {
        guard CommandPage.limits.contains(self.limit) else { throw ValidationError("--limit is 1 to 500") }
    }
}
