import AsyncHTTPClient
import NIOCore
import PosternCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// `tracing:` of the configuration, made ready.
struct TraceSetup: Sendable {
    let configuration: Configuration.Tracing
    let client: HTTPClient.Configuration

    /// - Throws: `TrustedAuthorities.Problem`.
    init(_ configuration: Configuration.Tracing) throws {
        self.configuration = configuration
        var client = HTTPClient.Configuration()
        client.redirectConfiguration = .disallow
        client.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        // Tried again by the export itself, which knows how long.
        client.connectionPool.retryConnectionEstablishment = false
        client.timeout.connect = .nanoseconds(configuration.timeout)
        client.tlsConfiguration = try configuration.ca.map { try TrustedAuthorities.client($0) }
        self.client = client
    }

    /// Whether the configuration says the same, wherever it stands in its file.
    func isSame(as other: TraceSetup) -> Bool {
        var configuration = other.configuration
        configuration.mark = self.configuration.mark
        return self.configuration == configuration
    }

    /// Whose spans they are (OpenTelemetry's semantic conventions for resources).
    ///
    /// - Parameter instance: another one for each process.
    func resource(instance: String) -> [String: SpanRecord.Value] {
        [
            "service.name": .string(self.configuration.serviceName),
            "service.instance.id": .string(instance),
            "process.pid": .int(Int64(getpid())),
            "telemetry.sdk.name": .string("postern"),
            "telemetry.sdk.language": .string("swift"),
            "telemetry.sdk.version": .string(PosternVersion.current),
        ]
    }

    /// The endpoint for people: a query may be a secret.
    var shownEndpoint: String { String(self.configuration.endpoint.prefix { $0 != "?" }) }
}
