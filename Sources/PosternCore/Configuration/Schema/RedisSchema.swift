extension Section {
    static let redis = Section(
        summary: "The cache that all sidecars share, and the channel of revocations",
        keys: [
            Key(
                "url", .text(.redis), required: true,
                "Where Redis is: redis://[user:password@]host[:6379][/db], redis+sentinel://host,host/master[/db] or "
                    + "redis+cluster://host,host; rediss for TLS"),
            Key("password", .secret(minimum: 1), "The password as it is, instead of percent-encoded in the URL"),
            Key("ca", .text(.file), "PEM file of the authorities that are trusted for rediss"),
            Key(
                "timeout", .duration(Nanoseconds.millisecond...(5 * Nanoseconds.second)), default: "50ms",
                "For one command"),
            Key("key_prefix", .text(.any), default: "postern:", "What every key and channel begins with"),
            Key(
                "seal", .list(of: .secret(minimum: 32), minimum: 1, single: true), required: true,
                "The secret that seals cache entries, 32 bytes or more (\"openssl rand -base64 32\" makes one); of a "
                    + "list the first seals and all open"),
        ])
}
