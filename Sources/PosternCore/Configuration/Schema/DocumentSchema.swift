extension Shape {
    /// The whole of proxy.yaml.
    static let document = Section(
        summary: "Postern's proxy.yaml",
        keys: [
            Key("version", .integer(1...1), default: "1", "The version of this format"),
            Key("listen", .listen, default: "0.0.0.0:8080", "Where clients connect: an address or a list of them"),
            Key("upstream", .upstream, required: true, "The service behind the proxy"),
            Key("admin", .admin, default: "127.0.0.1:9901", "Health, readiness, metrics and the effective policy"),
            Key("issuers", .entries(key: .name, of: .section(.issuer), noun: "issuer"), "Whose tokens are accepted"),
            Key("redis", .section(.redis), "The cache that all sidecars share, and the channel of revocations"),
            Key(
                "identity", .entries(key: .fieldName, of: .text(.claim), noun: "header"),
                "Headers for the service, and the claims they hold"),
            Key("forward_token", .boolean, default: "false", "Whether the Authorization header is passed on"),
            Key(
                "default", .choice(["deny", "authenticated", "public"]), default: "deny",
                "For requests that no route declares"),
            Key("cors", .section(.cors), default: .emptyMapping, "Cross-origin requests of browsers"),
            Key("routes", .entries(key: .route, of: .route, noun: "route"), "Who may do what: METHOD /path: access"),
            Key("paths", .section(.paths), default: .emptyMapping, "Odd paths that are let through"),
            Key("limits", .section(.limits), default: .emptyMapping, "Bounds for what a client may send"),
            Key("timeouts", .section(.timeouts), default: .emptyMapping, "How long things may take"),
            Key(
                "tunnel_at_expiry", .choice(Configuration.TunnelAtExpiry.allCases.map(\.rawValue)), default: "close",
                "What happens to a WebSocket or other tunnel whose token expires or is revoked"),
            Key("log", .section(.log), default: .emptyMapping, "Logs on standard output"),
            Key("tracing", .section(.tracing), "OpenTelemetry: requests are recorded as spans and exported by OTLP"),
            Key(
                "event_loops", .either([.choice(["auto"]), .integer(1...256)]), default: "auto",
                "How many event loops; auto: the CPUs this process may use"),
            Key(
                "trusted_proxies", .list(of: .text(.cidr), minimum: 0, single: false), default: [],
                "Networks whose X-Forwarded-* and PROXY headers are believed; unix: peers of a unix socket"),
            Key("realm", .text(.realm), "The realm of challenges; default: the service's name"),
            Key("service", .text(.name), default: "postern", "This service's name in logs and metrics"),
        ])
}

extension Section {
    static let paths = Section(
        summary: "Odd paths that are let through; each lifts exactly one refusal",
        keys: ["empty_segments", "encoded_slash", "semicolon"].map {
            Key($0, .choice(["deny", "allow"]), default: "deny", "Whether a path with this is let through")
        })

    static let limits = Section(
        summary: "Bounds for what a client may send",
        keys: [
            Key("head", .size(1024...(1 << 20)), default: "32KiB", "Request line and headers together"),
            Key("target", .size(64...(1 << 20)), default: "8KiB", "The request target"),
            Key("headers", .integer(1...10_000), default: "100", "How many header fields"),
            Key("body", .bodyLimit, default: "unlimited", "A request body"),
            Key("connections", .integer(1...1_000_000), default: "10000", "Client connections at a time"),
            Key("token", .size(64...(1 << 20)), default: "8KiB", "A bearer token"),
            Key("identity", .size(64...(1 << 16)), default: "8KiB", "All inserted identity headers together"),
        ])

    static let timeouts = Section(
        summary: "How long things may take",
        keys: [
            Key("head", .timeout, default: "10s", "From the first byte of a request head to its end"),
            Key("idle", .timeout, default: "60s", "Between two requests of a connection"),
            Key("body_idle", .timeout, default: "30s", "Between two parts of a body"),
            Key("connect", .timeout, default: "2s", "To connect to the service, or to wait for a connection"),
            Key("response", .timeout, default: "30s", "For the service's response head"),
            Key("upstream_idle", .timeout, default: "4s", "How long an unused connection to the service is kept"),
            Key("tunnel_idle", .timeout, default: "1h", "How long a WebSocket or other tunnel may be silent"),
            Key("drain", .duration(0...Nanoseconds.day), default: "25s", "For requests in flight at shutdown"),
            Key(
                "drain_delay", .duration(0...Nanoseconds.hour), default: "0s", "How long accepting goes on at shutdown"),
        ])

    static let log = Section(
        summary: "Logs on standard output",
        keys: [
            Key(
                "level", .choice(Configuration.Log.Level.allCases.map(\.rawValue)), default: "info",
                "The least important line that is written"),
            Key("format", .choice(["json"]), default: "json", "How a line looks"),
            Key(
                "access", .choice(Configuration.Log.Access.allCases.map(\.rawValue)), default: "all",
                "Which requests get a line"),
        ])
}
