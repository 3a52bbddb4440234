import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import ServiceLifecycle
import Testing

@testable import PosternIssuer

@Suite(.timeLimit(.minutes(1))) struct AdminEndpointsTests {
    private func serve(
        _ test: TestIssuer, _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let router = AdminEndpoints(issuer: test.issuer).router()
        try await Application(router: router, logger: test.log.logger).test(.router) { try await body($0) }
    }

    @Test("Ready while the store answers; alive always")
    func readiness() async throws {
        let test = try await TestIssuer()
        try await self.serve(test) { client in
            let ready = try await client.execute(uri: "/readyz", method: .get)
            #expect(ready.status == .ok)
            #expect(String(buffer: ready.body) == "{\"status\":\"ready\",\"missing\":[]}")
            #expect(ready.headers[.cacheControl] == "no-store")
            await test.issuer.store.close()
            let unready = try await client.execute(uri: "/readyz", method: .get)
            #expect(unready.status == .serviceUnavailable)
            #expect(String(buffer: unready.body) == "{\"status\":\"not ready\",\"missing\":[{\"part\":\"store\"}]}")
            let alive = try await client.execute(uri: "/livez", method: .get)
            #expect(alive.status == .ok)
            #expect(try alive.json["status"]?.string == "live")
        }
    }

    @Test("A Redis that is away is reported, and no reason to be unready")
    func redis() {
        let readiness = Readiness(storeAnswers: true, isStopping: false, redisIsUp: false)
        #expect(readiness.isReady)
        #expect(readiness.json.serialized() == "{\"status\":\"ready\",\"missing\":[],\"redis\":\"down\"}")
        let up = Readiness(storeAnswers: true, isStopping: false, redisIsUp: true)
        #expect(up.json["redis"]?.string == "up")
    }

    @Test("From the signal on it is not ready")
    func stopping() async throws {
        let test = try await TestIssuer()
        let group = ServiceGroup(services: [test.issuer.stop], logger: test.log.logger)
        #expect(await test.issuer.readiness().isReady)
        let running = Task { try await group.run() }
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(
            await test.issuer.readiness().json.serialized()
                == "{\"status\":\"not ready\",\"missing\":[{\"part\":\"stopping\"}]}")
    }

    @Test("Metrics tell what was done, by the issuer's own clock")
    func metrics() async throws {
        let test = try await TestIssuer()
        try await test.serve { client in
            _ = try await client.execute(uri: "/health", method: .get)
        }
        test.issuer.audit.record(AuditEntry(time: 0, action: .tokenIssued, isAllowed: true))
        test.clock.advance(by: 60)
        try await self.serve(test) { client in
            let response = try await client.execute(uri: "/metrics", method: .get)
            #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let read = try Exposition(String(buffer: response.body))
            #expect(read.value("postern_issuer_tokens_total", ["grant": "client_credentials"]) == 1)
            #expect(read.value("postern_issuer_signing_key_age_seconds", ["state": "current"]) == 60)
            #expect(read.value("postern_issuer_request_duration_seconds_count", ["route": "/health"]) == 1)
            #expect(read.value("postern_issuer_redis_up") == nil)
            #expect(read.value("postern_issuer_audit_waiting") == 1)
        }
    }

    @Test("Nothing else is there, and nothing of it is on the public listener")
    func paths() async throws {
        let test = try await TestIssuer()
        try await self.serve(test) { client in
            let token = try await client.execute(uri: "/oauth/token", method: .post).status
            let head = try await client.execute(uri: "/metrics", method: .head).status
            #expect(token == .notFound && head == .ok)
        }
        try await test.serve { client in
            for path in ["/metrics", "/readyz", "/livez"] {
                let status = try await client.execute(uri: path, method: .get).status
                #expect(status == .notFound)
            }
        }
    }
}
