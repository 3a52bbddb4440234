extension Configuration.Tracing {
    /// Of the headers only their names.
    var policy: JSONValue {
        .members([
            ("endpoint", .string((try? URLReference(self.endpoint).redacted) ?? "[redacted]")),
            ("sample", .number(self.sample, text: Self.text(self.sample))), ("parents", .string(self.parents.rawValue)),
            ("limit", .whole(self.limit)), ("service_name", .string(self.serviceName)),
            (
                "headers",
                self.headers.isEmpty ? nil : .members(self.headers.map { ($0.name, .string("[redacted]")) })
            ),
            ("timeout", .string(Nanoseconds.text(self.timeout))), ("ca", self.ca.map { .string($0.path) }),
        ])
    }

    /// As people write it: `1`, not `1.0`.
    private static func text(_ share: Double) -> String {
        share == 0 ? "0" : share == 1 ? "1" : "\(share)"
    }
}
