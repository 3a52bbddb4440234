import NIOHTTP1
import PosternCore
import Testing

@testable import PosternProxy

@Suite struct AdminServerTests {
    private static let ready = Readiness(listening: true, draining: false, issuersWithoutKeys: [])

    // MARK: - Paths

    @Test(arguments: [AdminServer.Scope.admin, .status])
    func lifeReadinessAndMetricsAreForBothScopes(scope: AdminServer.Scope) async throws {
        let server = AdminServer(scope: scope, source: FixedSource(Self.ready))
        let life = await server.reply(to: AdminRequest(path: "/healthz"))
        #expect((life.status, life.contentType, life.body) == (.ok, "application/json", "{\"status\":\"ok\"}\n"))
        let readiness = await server.reply(to: AdminRequest(path: "/readyz"))
        #expect((readiness.status, readiness.contentType) == (.ok, "application/json"))
        let metrics = await server.reply(to: AdminRequest(path: "/metrics"))
        #expect(metrics.status == .ok)
        #expect(metrics.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(metrics.body == "postern_up 1\n")
    }

    @Test func policyIsForTheAdminListenerAlone() async throws {
        let source = FixedSource(Self.ready)
        let policy = await AdminServer(scope: .admin, source: source).reply(to: AdminRequest(path: "/policy"))
        #expect((policy.status, policy.contentType, policy.body) == (.ok, "application/json", "{\"routes\":[]}\n"))
    }

    @Test(arguments: AdminResource.allCases)
    func statusListenerHasOnlyWhatProbesAskFor(resource: AdminResource) async {
        let server = AdminServer(scope: .status, source: FixedSource(Self.ready))
        let status = await server.reply(to: AdminRequest(path: resource.rawValue)).status
        #expect((status == .ok) == ["/healthz", "/readyz", "/metrics"].contains(resource.rawValue))
        #expect(status == .ok || status == .notFound)
    }

    @Test func pageIsAtTheRoot() async {
        let reply = await AdminServer(scope: .admin, source: FixedSource(Self.ready)).reply(to: AdminRequest(path: "/"))
        #expect((reply.status, reply.contentType, reply.body) == (.ok, "text/html; charset=utf-8", StatusPage.html))
        #expect(reply.headers.contains { $0 == ("Content-Security-Policy", StatusPage.securityPolicy) })
    }

    @Test(arguments: [
        ("", "nil"), ("configuration=3-4", "3-4"), ("a=b&configuration=x&c", "x"), ("configurations=3", "nil"),
        ("configuration", "nil"), ("configuration=", ""),
    ])
    func statusIsAskedForWithTheConfigurationThatIsKnown(row: (String, String)) async {
        var request = AdminRequest(path: "/status.json")
        request.query = row.0
        let reply = await AdminServer(scope: .admin, source: FixedSource(Self.ready)).reply(to: request)
        #expect((reply.status, reply.contentType) == (.ok, "application/json"))
        #expect(reply.body == "{\"known\":\"\(row.1)\"}\n")
    }

    @Test(arguments: AdminResource.allCases)
    func foreignNameIsServedToProbesAlone(resource: AdminResource) async {
        let server = AdminServer(scope: .admin, source: FixedSource(Self.ready))
        var request = AdminRequest(path: resource.rawValue)
        request.method = resource == .explain ? .POST : .GET
        request.headers = ["Host": "evil.example.com:9901"]
        #expect((await server.reply(to: request).status == .forbidden) != resource.isForProbes)
    }

    @Test(arguments: [
        "", "/healthz/", "/HEALTHZ", "/metrics/x", "/policy.json", "//healthz", "/%68ealthz", "*", "/index.html",
    ])
    func nothingIsAtAnyOtherPath(path: String) async {
        for scope in [AdminServer.Scope.admin, .status] {
            #expect(
                await AdminServer(scope: scope, source: FixedSource(Self.ready)).reply(to: AdminRequest(path: path))
                    .status == .notFound)
        }
    }

    @Test func processThatIsNotReadyIsAliveAllTheSame() async throws {
        let server = AdminServer(
            scope: .status, source: FixedSource(Readiness(listening: false, draining: true, issuersWithoutKeys: ["a"])))
        #expect(await server.reply(to: AdminRequest(path: "/healthz")).status == .ok)
        #expect(await server.reply(to: AdminRequest(path: "/readyz")).status == .serviceUnavailable)
        #expect(await server.reply(to: AdminRequest(path: "/metrics")).status == .ok)
    }

    // MARK: - Readiness

    @Test(arguments: [
        (Readiness(listening: true, draining: false, issuersWithoutKeys: []), #"{"status":"ready","missing":[]}"#),
        (
            Readiness(listening: true, draining: false, issuersWithoutKeys: ["b", "a"]),
            #"{"status":"not ready","missing":[{"part":"keys","issuer":"b"},{"part":"keys","issuer":"a"}]}"#
        ),
        (
            Readiness(listening: false, draining: false, issuersWithoutKeys: []),
            #"{"status":"not ready","missing":[{"part":"listeners"}]}"#
        ),
        (
            Readiness(
                listening: true, draining: false, issuersWithoutKeys: [], unhealthyUpstream: "http://127.0.0.1:8001"),
            #"{"status":"not ready","missing":[{"part":"upstream","upstream":"http://127.0.0.1:8001"}]}"#
        ),
        (
            Readiness(listening: true, draining: true, issuersWithoutKeys: []),
            #"{"status":"not ready","missing":[{"part":"draining"}]}"#
        ),
        (
            Readiness(listening: false, draining: true, issuersWithoutKeys: ["a"]),
            #"{"status":"not ready","missing":[{"part":"keys","issuer":"a"},{"part":"listeners"},{"part":"draining"}]}"#
        ),
        (
            Readiness(listening: true, draining: false, issuersWithoutKeys: [], missesRevocations: true),
            #"{"status":"not ready","missing":[{"part":"revocations"}]}"#
        ),
        (
            Readiness(listening: false, draining: false, issuersWithoutKeys: ["a"], missesRevocations: true),
            #"{"status":"not ready","missing":[{"part":"keys","issuer":"a"},{"part":"revocations"},{"part":"listeners"}]}"#
        ),
    ])
    func readinessSaysWhatIsMissing(row: (Readiness, String)) async throws {
        let reply = await AdminServer(scope: .admin, source: FixedSource(row.0)).reply(
            to: AdminRequest(path: "/readyz"))
        #expect(reply.body == row.1 + "\n")
        #expect(reply.status == (row.0.isReady ? .ok : .serviceUnavailable))
        #expect(row.0.isReady == row.1.contains(#""missing":[]"#))
    }
}

/// A process in a known state.
struct FixedSource: AdminSource {
    private let state: Readiness

    init(_ state: Readiness) {
        self.state = state
    }

    func readiness() async -> Readiness { self.state }
    func metrics() async -> String { "postern_up 1\n" }
    func policy() async -> String { "{\"routes\":[]}" }
    func status(known: String?) async -> JSONValue {
        .members([("known", .string(known ?? "nil"))])
    }
    func explain(_ request: ExplainRequest) async -> String { "{\"path\":\"\(request.target)\"}\n" }
}
