public import PosternCore

/// Where the issuer publishes revocations, and counts what is limited in rate.
public struct RedisConfiguration: Equatable, Sendable {
    /// With the password, wherever that was given.
    public var url: RedisURL
    /// A file with PEM certificates that are trusted instead of the system's. Only with TLS.
    public var ca: String?
    /// What every key and channel begins with; the same as `redis.key_prefix` of the proxies.
    public var keyPrefix = "postern:"

    /// The name of the sorted set and of the channel (3-behaviour, "Revocation").
    var revocations: String { self.keyPrefix + "revocations" }
    /// What the names of counters begin with.
    var limits: String { self.keyPrefix + "limits:" }
}
