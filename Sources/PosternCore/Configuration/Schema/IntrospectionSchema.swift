extension Section {
    static let introspection = Section(
        summary: "Validation by introspection",
        keys: [
            Key("url", .text(.url(["https", "http"])), required: true, "The introspection endpoint"),
            Key(
                "dialect", .choice(Configuration.Introspection.Dialect.allCases.map(\.rawValue)), default: "rfc7662",
                "What it speaks"),
            Key("credentials", .section(.credentials), required: true, "How the proxy authenticates itself"),
            Key("timeout", .duration(Nanoseconds.millisecond...Nanoseconds.minute), default: "2s", "For one answer"),
            Key("cache", .duration(0...Nanoseconds.hour), default: "30s", "How long an answer holds"),
            Key("negative_cache", .duration(0...Nanoseconds.hour), default: "5s", "How long a negative answer holds"),
            Key(
                "stale_if_error", .duration(0...Nanoseconds.day), default: "0s",
                "How long past cache, while the issuer is unreachable"),
            Key("ca", .text(.file), "PEM file of the authorities that are trusted for the question"),
        ])

    static let credentials = Section(
        summary: "How the proxy authenticates itself",
        keys: [
            Key("bearer", .secret(minimum: 1), "A bearer token"),
            Key("basic", .section(.client), "HTTP Basic"),
            Key("form", .section(.client), "client_id and client_secret in the form"),
        ],
        exactlyOne: [["bearer", "basic", "form"]])

    static let client = Section(
        summary: "A client's credentials",
        keys: [
            Key("id", .text(.any), required: true, "The client's id"),
            Key("secret", .secret(minimum: 1), required: true, "The client's secret"),
        ])
}
