import PosternCore
import Testing

@testable import PosternProxy

/// The admin listener's `/status.json`.
@Suite struct StatusDocumentTests {
    // MARK: - The process

    @Test func documentHasTheMembersOfItsVersion() throws {
        let json = try Self.read(try Self.document().json(withPolicy: true))
        guard case .object(let members) = json else { throw Missing() }
        #expect(
            members.map(\.name) == [
                "version", "service", "process", "health", "configuration", "traffic", "cache", "connections",
                "tunnels",
                "log_lines_dropped", "issuers", "upstreams", "redis", "revocations", "routes", "policy",
            ])
        #expect(json["version"] == .whole(1))
        #expect(json["service"] == .string("mt5-api"))
        #expect(json["process"]?["version"] == .string(PosternVersion.current))
        #expect(json["process"]?["uptime_seconds"] == .number(90.125, text: "90.125"))
        #expect(json["process"]?["event_loops"] == .whole(2))
        #expect(json["health"] == Readiness(listening: true, draining: false, issuersWithoutKeys: ["remote"]).json)
        #expect(json["tunnels"] == .whole(2))
        #expect(json["log_lines_dropped"] == .whole(5))
    }

    @Test func policyIsLeftOutForWhomHasIt() throws {
        let json = try Self.document().json(withPolicy: false)
        #expect(json["policy"] == nil)
        #expect(json["routes"] != nil)
    }

    @Test func lastReloadIsThereWithItsProblems() throws {
        var document = try Self.document()
        let before = try #require(document.json(withPolicy: false)["configuration"])
        #expect(before["generation"] == .whole(3))
        #expect(before["id"] == .string("3-1800000000000000"))
        #expect(before["loaded_at"] == .seconds(1_800_000_000))
        #expect(before["reloads"]?["last"] == .null)
        document.lastReload = ReloadOutcome(time: 1_800_000_001, cause: "SIGHUP")
        let applied = try #require(document.json(withPolicy: false)["configuration"]?["reloads"])
        #expect((applied["applied"], applied["refused"]) == (.whole(3), .whole(4)))
        #expect(applied["last"]?["result"] == .string("applied"))
        #expect(applied["last"]?["cause"] == .string("SIGHUP"))
        document.lastReload?.problems = (1...25).map { "proxy.yaml:\($0):1: error" }
        let refused = try #require(document.json(withPolicy: false)["configuration"]?["reloads"]?["last"])
        #expect(refused["result"] == .string("refused"))
        #expect(refused["problem_count"] == .whole(25))
        #expect(refused["problems"] == .list((1...20).map { "proxy.yaml:\($0):1: error" }))
    }

    // MARK: - Counters

    @Test func countersOfAllLoopsAreAddedUp() throws {
        let json = try Self.document().json(withPolicy: false)
        let traffic = try #require(json["traffic"])
        #expect(traffic["requests"] == .whole(6))
        #expect(traffic["permitted"] == .whole(4))
        #expect(traffic["refused"] == .whole(2))
        #expect(traffic["spoofed_headers"] == .whole(2))
        #expect(traffic["statuses"] == .members([("2xx", .whole(4)), ("4xx", .whole(2))]))
        let refusal = JSONValue.members([
            ("code", .string("missing_token")), ("status", .whole(401)), ("count", .whole(2)),
        ])
        #expect(traffic["refusals"] == .array([refusal]))
        #expect(json["connections"]?["downstream"] == .whole(14))
        #expect(json["connections"]?["refused"] == .whole(6))
    }

    @Test func histogramsHaveOneBucketMoreThanBounds() throws {
        let latency = try #require(try Self.document().json(withPolicy: false)["traffic"]?["latency"])
        #expect(latency["bounds_seconds"] == .array(Histogram.bounds.map { .number($0, text: "\($0)") }))
        var expected = [Int](repeating: 0, count: Histogram.bounds.count + 1)
        expected[1] = 2
        expected[Histogram.bounds.count] = 2
        #expect(latency["requests"] == .array(expected.map { .whole($0) }))
    }

    @Test func routesThatHadARequestHaveTheirCounters() throws {
        let json = try Self.document().json(withPolicy: false)
        let route = JSONValue.members([
            ("route", .string("GET /a/{id}")), ("requests", .whole(6)), ("permitted", .whole(4)),
            ("refused", .whole(2)),
            ("statuses", .members([("2xx", .whole(4)), ("4xx", .whole(2))])),
            ("refusals", .members([("missing_token", .whole(2))])),
        ])
        #expect(json["routes"] == .array([route]))
    }

    @Test func tierOfRedisIsThereWithRedisAlone() throws {
        var document = try Self.document()
        func tiers() throws -> [String] {
            guard case .array(let tiers)? = document.json(withPolicy: false)["cache"]?["tiers"] else { throw Missing() }
            return tiers.compactMap { $0["name"]?.string }
        }
        #expect(try tiers() == ["l1", "redis"])
        #expect(document.json(withPolicy: false)["redis"]?["up"] == .null, "it was not tried yet")
        document.gathered.redisUp = false
        #expect(document.json(withPolicy: false)["redis"]?["up"] == .bool(false))
        document.configuration.redis = nil
        #expect(try tiers() == ["l1"])
        #expect(document.json(withPolicy: false)["redis"] == .null)
    }

    // MARK: - Parts

    @Test func issuersHaveTheAgeOfTheirKeys() throws {
        guard case .array(let issuers)? = try Self.document().json(withPolicy: false)["issuers"] else {
            throw Missing()
        }
        #expect(issuers.map { $0["name"] } == [.string("remote"), .string("shared"), .string("asked")])
        #expect(
            issuers.map { $0["validation"] } == [
                .string("fetched keys"), .string("shared secret"), .string("introspection"),
            ])
        #expect(issuers[0]["keys"]?["age_seconds"] == .number(90.5, text: "90.5"))
        #expect(issuers[0]["keys"]?["failures_in_a_row"] == .whole(2))
        #expect((issuers[1]["keys"], issuers[1]["introspection"]) == (nil, nil))
        #expect(issuers[2]["introspection"]?["circuit"] == .string("open"))
        #expect(issuers[2]["introspection"]?["results"]?["active"] == .whole(12))
    }

    @Test func upstreamsSayWhyTheyCannotBeReached() throws {
        guard case .array(let upstreams)? = try Self.document().json(withPolicy: false)["upstreams"] else {
            throw Missing()
        }
        #expect(upstreams.map { $0["healthy"] } == [.bool(false), .null])
        #expect(upstreams.map { $0["trouble"] } == [.null, .string("connection refused")])
    }

    @Test func revocationsAreThoseOfOneLoop() throws {
        let revocations = try #require(try Self.document().json(withPolicy: false)["revocations"])
        #expect(revocations["count"] == .whole(7))
        #expect(revocations["up"] == .bool(false))
        #expect(revocations["down_seconds"] == .number(1.5, text: "1.5"))
    }

    // MARK: - Policy and secrecy

    @Test func policyIsInTheWordsOfTheCommands() throws {
        let policy = try #require(try Self.document().json(withPolicy: true)["policy"])
        guard case .array(let routes)? = policy["routes"] else { throw Missing() }
        #expect(routes.map { $0["route"] } == [.string("GET /a/{id}"), .string("GET|POST /b")])
        #expect(routes[0]["methods"] == .string("GET"))
        #expect(routes[0]["path"] == .string("/a/{id}"))
        #expect(routes[0]["needs"] == .string("scope x:read"))
        #expect(routes[0]["overrides"] == .list(["timeout 5s"]))
        #expect(routes[1]["access"] == .string("public"))
        #expect(policy["default"]?["access"] == .string("deny"))
    }

    @Test func noSecretIsInIt() throws {
        var document = try Self.document()
        document.lastReload = ReloadOutcome(cause: "SIGHUP")
        let text = document.json(withPolicy: true).serialized()
        for secret in ["very-secret", "seal-secret", "redis-password", "introspection-secret"] {
            #expect(!text.contains(secret))
        }
    }

    @Test func durationsThatAreNoneAreNull() throws {
        #expect(JSONValue.seconds(.infinity) == .null)
        #expect(JSONValue.seconds(.nan) == .null)
        #expect(JSONValue.seconds(0.0004).serialized() == "0.0")
        #expect(JSONValue.seconds(1_800_000_000.1239).serialized() == "1800000000.124")
    }

    // MARK: - Fixtures

    private struct Missing: Error {}

    private static func read(_ value: JSONValue) throws -> JSONValue {
        try JSONReader.parse(Array(value.serialized().utf8).span.bytes)
    }

    private static let text = """
        version: 1
        listen: 127.0.0.1:0
        upstream: http://127.0.0.1:8001
        service: mt5-api
        issuers:
          remote: {issuer: "https://a.test", audiences: [x], algorithms: [RS256], keys: {url: "https://a.test/jwks"}}
          shared:
            {issuer: "https://b.test", audiences: [x], algorithms: [HS256],
             keys: {secret: very-secret-0123456789-0123456789}}
          asked:
            introspection:
              {url: "https://c.test/introspect", credentials: {bearer: introspection-secret}, timeout: 2s, cache: 30s}
        redis: {url: "redis://:redis-password@127.0.0.1:6379", seal: seal-secret-0123456789-0123456789}
        routes:
          GET /a/{id}: {scopes: x:read, timeout: 5s}
          GET|POST /b: public
        """

    private static func document() throws -> StatusDocument {
        var loop = LoopMetrics()
        let route = 2
        for _ in 0..<2 {
            loop.requests.increment(LoopMetrics.requestKey(route: route, method: .get, status: 200))
            loop.decisions.increment(LoopMetrics.decisionKey(route: route, decision: LoopMetrics.permit))
        }
        loop.requests.increment(LoopMetrics.requestKey(route: route, method: .get, status: 401))
        loop.decisions.increment(
            LoopMetrics.decisionKey(route: route, decision: LoopMetrics.index(of: .missingToken)))
        loop.requestDuration.record(1_000_000)
        loop.requestDuration.record(20_000_000_000)
        loop.spoofedRequests = 1
        loop.downstreamConnections = 7
        loop.revocations = 7
        loop.tunnels.opened(.webSocket)
        let gathered = MetricsText.Gathered(
            loops: [loop, loop],
            keys: [
                .init(
                    issuer: "remote", hasKeys: true, age: 90_500_000_000, successes: 7, failures: 9, failuresInARow: 2)
            ],
            introspection: .init(
                endpoints: [.init(issuer: "asked", counts: [.active: 12], underWay: 1, isOpen: true)], flights: 1,
                refusedFlights: 0),
            health: [.init(url: "http://127.0.0.1:8001", isUp: false, successes: 1, failures: 2)],
            revocation: .init(isUp: false, isKnown: true, wasTried: true, downSeconds: 1.5, malformed: 0),
            routeNames: ["none", "default", "GET /a/{id}", "GET|POST /b"], reloadsApplied: 3, reloadsRefused: 4,
            droppedLogLines: 5, refusedConnections: 6)
        return StatusDocument(
            gathered: gathered,
            readiness: Readiness(listening: true, draining: false, issuersWithoutKeys: ["remote"]),
            configuration: try Snapshots.configuration(Self.text), generation: 3, loadedAt: 1_800_000_000,
            lastReload: nil, uptime: 90.125, now: 1_800_000_100, eventLoops: 2,
            upstreams: ["http://127.0.0.1:8001", "http://127.0.0.1:8002"],
            upstreamTroubles: ["http://127.0.0.1:8002": "connection refused"])
    }
}
