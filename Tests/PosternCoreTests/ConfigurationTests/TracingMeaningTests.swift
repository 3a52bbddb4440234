import Testing

@testable import PosternCore

/// What `tracing` means, and what of it is worth a warning.
@Suite struct TracingMeaningTests {
    private static func document(_ tracing: String) -> String {
        "{upstream: unix:/s, default: public, service: mt5, tracing: {\(tracing)}}"
    }

    @Test func endpointAloneHasTheDocumentedDefaults() throws {
        let tracing = try #require(
            try World.configuration(Self.document("endpoint: \"http://collector:4318\"")).tracing)
        #expect(tracing.endpoint == "http://collector:4318/v1/traces")
        #expect(tracing.sample == 1)
        #expect(tracing.parents == .follow)
        #expect(tracing.limit == 100)
        #expect(tracing.serviceName == "mt5")
        #expect(tracing.headers.isEmpty)
        #expect(tracing.timeout == 10_000_000_000)
        #expect(tracing.ca == nil)
    }

    @Test(
        "only a URL without a path is a collector's address",
        arguments: [
            ("http://h", "http://h/v1/traces"), ("http://h/", "http://h/v1/traces"), ("http://h/x", "http://h/x"),
            ("https://h:1/v1/traces", "https://h:1/v1/traces"), ("http://h/?a=b", "http://h/?a=b"),
        ])
    func endpoint(_ row: (written: String, used: String)) throws {
        let configuration = try World.configuration(Self.document("endpoint: \"\(row.written)\""))
        #expect(configuration.tracing?.endpoint == row.used)
    }

    @Test func nameAndSecretsCanBeGiven() throws {
        let tracing = try #require(
            try World.configuration(
                Self.document("endpoint: \"http://h\", service_name: own, headers: {Authorization: {file: token}}")
            ).tracing)
        #expect(tracing.serviceName == "own")
        #expect(tracing.headers.map(\.name) == ["Authorization"])
        #expect(tracing.headers.first?.value.bytes == Array("Bearer x".utf8))
    }

    @Test(
        "warnings",
        arguments: [
            ("endpoint: \"http://h.example\"", "tracing.endpoint: spans go over http to h.example"),
            (
                "endpoint: \"http://h.example\", headers: {X: y}",
                "spans, and the headers with their secrets, go over http"
            ),
            ("endpoint: \"http://h\", ca: own.pem", "tracing.ca: has no effect"),
            ("endpoint: \"http://h:4317\"", "over HTTP, which Postern speaks, it is 4318"),
            ("endpoint: \"http://h\", sample: 0, parents: ignore", "tracing.sample: nothing is ever recorded"),
        ])
    func warning(_ row: (tracing: String, message: String)) {
        let problems = World.problems(Self.document(row.tracing))
        #expect(problems.count == 1)
        #expect(problems.first?.contains("warning: ") == true)
        #expect(problems.first?.contains(row.message) == true, "\(problems)")
    }

    @Test(
        "what is usual is not warned of", arguments: ["http://h:4318", "http://10.0.0.1:4318", "https://h.example/x"])
    func usual(_ endpoint: String) {
        #expect(World.problems(Self.document("endpoint: \"\(endpoint)\", sample: 0")).isEmpty)
    }
}
