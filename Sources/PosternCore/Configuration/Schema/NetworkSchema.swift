extension Shape {
    /// A duration from a millisecond to a day.
    static let timeout = Shape.duration(Nanoseconds.millisecond...Nanoseconds.day)

    static let bodyLimit = Shape.either([.choice(["unlimited"]), .size(0...(1 << 50))])

    static let listen = Shape.list(of: .either([.text(.address), .section(.listener)]), minimum: 1, single: true)

    static let admin = Shape.either([.text(.address), .section(.adminListener)])

    static let upstream = Shape.either([.text(.upstream), .section(.upstream)])
}

extension Section {
    static let listener = Section(
        summary: "A listener",
        keys: [
            Key("address", .text(.address), required: true, "Where to listen"),
            Key("tls", .section(.serverTLS), "TLS for clients"),
            Key(
                "proxy_protocol", .boolean, default: "false",
                "Whether a PROXY header (version 1 or 2) of a trusted proxy comes first"),
        ])

    static let serverTLS = Section(
        summary: "TLS of a listener",
        keys: [
            Key("certificate", .text(.file), required: true, "PEM file of the certificate chain"),
            Key("key", .text(.file), required: true, "PEM file of the private key"),
            Key("client_ca", .text(.file), "PEM file of the authorities of client certificates"),
            Key(
                "client_auth", .choice(["require", "request"]),
                "Whether clients must have a certificate; with client_ca alone they must"),
        ])

    static let adminListener = Section(
        summary: "The admin listeners",
        keys: [
            Key("address", .text(.address), default: "127.0.0.1:9901", "Health, readiness, metrics, policy"),
            Key("status", .text(.address), "A second listener with health, readiness and metrics alone"),
        ])

    static let upstream = Section(
        summary: "The service behind the proxy",
        keys: [
            Key("url", .text(.upstream), required: true, "http://host:port, https://host:port or unix:/path"),
            Key(
                "connections", .integer(1...1_000_000), default: "512",
                "Connections at a time; over HTTP/2, where requests share connections, requests at a time"),
            Key("queue", .integer(0...1_000_000), default: "1024", "Requests that may wait for a connection"),
            Key(
                "protocol", .choice(["http1", "h2", "auto"]), default: "http1",
                "What is spoken to the service; auto: what ALPN agrees on over TLS, else HTTP/1.1"),
            Key("tls", .section(.clientTLS), "TLS to the service, with an https URL"),
            Key("health", .section(.health), "Active health checks"),
            Key("retry", .section(.retry), "When a reused connection is closed under a request"),
        ])

    static let clientTLS = Section(
        summary: "TLS to a service",
        keys: [
            Key("ca", .text(.file), "PEM file of the authorities that are trusted; default: those of the system"),
            Key("server_name", .text(.any), "The name in the service's certificate; default: the host of the URL"),
            Key("certificate", .text(.file), "PEM file of the proxy's own certificate"),
            Key("key", .text(.file), "PEM file of its private key"),
        ])

    static let health = Section(
        summary: "Active health checks",
        keys: [
            Key("path", .text(.path), required: true, "The path that is asked for"),
            Key("interval", .timeout, default: "5s", "How often"),
            Key("failures", .integer(1...1000), default: "3", "After how many failures requests get 502 at once"),
        ])

    static let retry = Section(
        summary: "When a reused connection is closed under a request",
        keys: [Key("attempts", .integer(0...1), default: "1", "How often it is sent again, if that is safe")])
}
