import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct IssuerMetricsTests {
    private static func entry(
        _ action: AuditEntry.Action, _ isAllowed: Bool = true, _ reason: String? = nil
    ) -> AuditEntry {
        AuditEntry(time: 0, action: action, isAllowed: isAllowed, reason: reason)
    }

    private static func text(_ metrics: IssuerMetrics, keys: [MetricsReport.KeyAge] = []) throws -> Exposition {
        try Exposition(
            MetricsReport(
                counts: metrics.counts, keys: keys, publishing: .init(isUp: false, waiting: 3, lag: 1.5),
                auditDropped: 4, auditWaiting: 5, process: .init(cpuSeconds: 0.5, residentBytes: 4096)
            ).text)
    }

    @Test("Tokens, logins and revocations are counted from the audit log")
    func counts() throws {
        let metrics = IssuerMetrics()
        for entry in [
            Self.entry(.tokenIssued), Self.entry(.tokenIssued), Self.entry(.tokenIssued, false, "invalid_scope"),
            Self.entry(.tokenIssued, false), Self.entry(.userLogin),
            Self.entry(.userLogin, false, "invalid_credentials"),
            Self.entry(.userRefresh), Self.entry(.userRefresh, false, "invalid_grant"), Self.entry(.tokenRevoked),
            Self.entry(.tokenRevoked, false, "invalid_client"), Self.entry(.userLogoutAll),
            Self.entry(.clientChanged, true, "name"), Self.entry(.serviceKeyRevoked),
        ] { metrics.count(entry) }
        metrics.introspected(.hecate, .active)
        metrics.introspected(.hecate, .active)
        metrics.introspected(.oauth, .refused)
        metrics.limiterFellBack()
        let read = try Self.text(metrics)
        let tokens = "postern_issuer_tokens_total"
        #expect(read.value(tokens, ["grant": "client_credentials", "result": "issued", "reason": ""]) == 2)
        #expect(read.value(tokens, ["grant": "client_credentials", "reason": "invalid_scope"]) == 1)
        #expect(read.value(tokens, ["grant": "client_credentials", "reason": "unknown"]) == 1)
        #expect(read.value(tokens, ["grant": "password", "result": "issued"]) == 1)
        #expect(read.value(tokens, ["grant": "refresh_token", "reason": "invalid_grant"]) == 1)
        #expect(read.value("postern_issuer_logins_total", ["result": "allowed"]) == 1)
        #expect(read.value("postern_issuer_logins_total", ["result": "refused"]) == 1)
        let introspections = "postern_issuer_introspections_total"
        #expect(read.value(introspections, ["kind": "hecate", "result": "active"]) == 2)
        #expect(read.value(introspections, ["kind": "hecate", "result": "inactive"]) == 0)
        #expect(read.value(introspections, ["kind": "oauth", "result": "refused"]) == 1)
        let revocations = read.samples.filter { $0.name == "postern_issuer_revocations_total" }
        #expect(revocations.map { $0.labels["action"] } == ["service_key.revoke", "token.revoke", "user.logout_all"])
        #expect(revocations.map(\.value) == [1, 1, 1])
        #expect(read.value("postern_issuer_rate_limiter_fallbacks_total") == 1)
    }

    @Test("What is asked for at the scrape is shown")
    func gauges() throws {
        let key = MetricsReport.KeyAge(kid: "k", algorithm: "ES256", state: "current", age: 12.5)
        let read = try Self.text(IssuerMetrics(), keys: [key])
        let labels = ["kid": "k", "algorithm": "ES256", "state": "current"]
        #expect(read.value("postern_issuer_signing_key_age_seconds", labels) == 12.5)
        #expect(read.value("postern_issuer_redis_up") == 0)
        #expect(read.value("postern_issuer_revocations_unpublished") == 3)
        #expect(read.value("postern_issuer_publish_lag_seconds") == 1.5)
        #expect(read.value("postern_issuer_audit_dropped_total") == 4)
        #expect(read.value("postern_issuer_audit_waiting") == 5)
        #expect(read.value("postern_issuer_resident_memory_bytes") == 4096)
        #expect(read.value("postern_issuer_cpu_seconds_total") == 0.5)
    }

    @Test("Whatever becomes a reason, there are never more than a few")
    func bounded() throws {
        let metrics = IssuerMetrics()
        for number in 0..<1000 { metrics.count(Self.entry(.tokenIssued, false, "reason \(number)")) }
        #expect(metrics.counts.tokens.count == 65)
        #expect(metrics.counts.tokens.values.reduce(0, +) == 1000)
    }

    @Test("Requests are counted by the template of their route, and unknown paths together")
    func routes() async throws {
        let metrics = IssuerMetrics()
        let router = Router(context: IssuerContext.self)
        router.add(middleware: RequestMiddleware(clock: .system, proxies: TrustedProxies(), metrics: metrics))
        var routes = RouteList(router: router)
        routes.on(.get, "/things/{id}") { _, _ in Response(status: .ok) }
        routes.on(.post, "/things") { _, _ in throw Problem.internalError }
        routes.refuseOtherMethods()
        try await Application(router: router, logger: LogCapture().logger).test(.router) { client in
            for path in ["/things/1", "/things/2?secret=3"] {
                _ = try await client.execute(uri: path, method: .get)
            }
            _ = try await client.execute(uri: "/things/1", method: .delete)
            _ = try await client.execute(uri: "/things", method: .post)
            _ = try await client.execute(uri: "/secret/path", method: .get)
            _ = try await client.execute(uri: "/another", method: .get)
        }
        let counts = metrics.counts.requests.sorted { $0.key < $1.key }
        #expect(
            counts.map { "\($0.key.route) \($0.key.statusClass)" } == [
                "/things 5", "/things/{id} 2", "/things/{id} 4", "NotFound 4",
            ])
        #expect(counts.map(\.value.count) == [1, 2, 1, 2])
        let read = try Self.text(metrics)
        #expect(
            read.value(
                "postern_issuer_request_duration_seconds_count", ["route": "/things/{id}", "status": "2xx"]) == 2)
        #expect(!read.samples.contains { $0.labels.values.contains { $0.contains("secret") } })
    }

    @Test("Both introspections are counted by what became of them")
    func introspections() async throws {
        let test = try await TestIssuer()
        try await test.addServiceKey()
        try await test.addUser()
        let token = try await test.login().accessToken
        let counts = { test.issuer.audit.metrics.counts.introspections }
        try await test.serve { client in
            for (text, key) in [(token, TestIssuer.serviceKey), ("x", TestIssuer.serviceKey), (token, "hsk_x")] {
                _ = try await client.send(.post, "/auth/introspect", "{\"token\":\"\(text)\"}", bearer: key)
                _ = try await client.post(
                    "/oauth/introspect", "token=\(text)", [.authorization: "Bearer \(key)"])
            }
        }
        let expected: [IssuerMetrics.IntrospectionResult: UInt64] = [.active: 1, .inactive: 1, .refused: 1]
        #expect(counts() == [.hecate: expected, .oauth: expected])
    }

    @Test("The process says what it uses")
    func process() {
        let figures = ProcessFigures.current
        #expect(figures.cpuSeconds > 0)
        #if os(Linux)
            #expect(figures.residentBytes > 1_000_000)
        #endif
    }
}
