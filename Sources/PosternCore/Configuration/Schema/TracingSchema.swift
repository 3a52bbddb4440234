extension Section {
    static let tracing = Section(
        summary: "OpenTelemetry: requests are recorded as spans and exported by OTLP",
        keys: [
            Key(
                "endpoint", .text(.url(["http", "https"])), required: true,
                "Where spans go, by OTLP over HTTP: http://collector:4318, to which /v1/traces is added, or a URL with a path"
            ),
            Key("sample", .scalar, default: "1", "The share of new traces that is recorded, from 0 to 1"),
            Key(
                "parents", .choice(TraceSampling.Parents.allCases.map(\.rawValue)), default: "follow",
                "Whether a trace that the caller records is recorded here, or sample decides whatever the caller says"),
            Key("limit", .integer(1...1_000_000), default: "100", "Requests a second that are recorded at most"),
            Key("service_name", .text(.any), "The service.name of the spans; default: the service's name"),
            Key(
                "headers", .entries(key: .fieldName, of: .secret(minimum: 1), noun: "header"),
                "Headers of the export, such as an API key"),
            Key(
                "timeout", .duration(Nanoseconds.millisecond...Nanoseconds.minute), default: "10s", "For one export"),
            Key("ca", .text(.file), "PEM file of the authorities that are trusted for the export"),
        ])
}
