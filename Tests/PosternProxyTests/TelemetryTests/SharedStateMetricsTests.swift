import PosternCore
import Testing

@testable import PosternProxy

/// The metrics of introspection, Redis and revocations.
@Suite struct SharedStateMetricsTests {
    private static func gathered() -> MetricsText.Gathered {
        var loop = LoopMetrics()
        loop.cacheRejections = 3
        loop.staleServed = 4
        loop.rejectedTokens = 5
        loop.revocations = 6
        loop.redis = RedisCounts(hits: 7, misses: 8, expired: 9, rejected: 10, errors: 11)
        let endpoints = [
            IntrospectionEndpoint.Status(
                issuer: "one", counts: [.active: 12, .credentialsRefused: 13], underWay: 14, isOpen: true),
            .init(issuer: "two", counts: [:], underWay: 0, isOpen: false),
        ]
        return MetricsText.Gathered(
            loops: [loop, loop], introspection: .init(endpoints: endpoints, flights: 15, refusedFlights: 16),
            redisUp: true,
            revocation: .init(isUp: false, isKnown: true, wasTried: true, downSeconds: 1.5, malformed: 17),
            routeNames: ["none"])
    }

    private static func render(_ gathered: MetricsText.Gathered) throws -> PrometheusText {
        try PrometheusText(MetricsText.render(gathered))
    }

    @Test func everyTierOfTheCacheHasItsResults() throws {
        let text = try Self.render(Self.gathered())
        let expected: [(String, String, Double)] = [
            ("l1", "hit", 0), ("l1", "miss", 0), ("l1", "negative", 6), ("l1", "stale", 8), ("redis", "hit", 14),
            ("redis", "miss", 16), ("redis", "expired", 18), ("redis", "rejected", 20), ("redis", "error", 22),
        ]
        for (tier, result, value) in expected {
            #expect(
                text.value("postern_token_cache_total", ["tier": tier, "result": result]) == value, "\(tier) \(result)")
        }
        #expect(text.samples("postern_token_cache_total").count == expected.count)
        #expect(text.value("postern_token_cache_negatives") == 10)
    }

    @Test func questionsAreCountedByIssuerAndResult() throws {
        let text = try Self.render(Self.gathered())
        let name = "postern_introspections_total"
        #expect(text.families[name]?.kind == "counter")
        #expect(text.value(name, ["issuer": "one", "result": "active"]) == 12)
        #expect(text.value(name, ["issuer": "one", "result": "credentials_refused"]) == 13)
        #expect(text.value(name, ["issuer": "one", "result": "timeout"]) == 0)
        for issuer in ["one", "two"] {
            let results = text.samples(name).filter { $0.labels["issuer"] == issuer }.compactMap { $0.labels["result"] }
            #expect(Set(results) == Set(IntrospectionEndpoint.Result.allCases.map(\.rawValue)))
        }
    }

    @Test func stateOfEveryIssuerIsShown() throws {
        let text = try Self.render(Self.gathered())
        #expect(text.value("postern_introspections_under_way", ["issuer": "one"]) == 14)
        #expect(text.value("postern_introspections_under_way", ["issuer": "two"]) == 0)
        #expect(text.value("postern_introspection_circuit_open", ["issuer": "one"]) == 1)
        #expect(text.value("postern_introspection_circuit_open", ["issuer": "two"]) == 0)
        #expect(text.value("postern_introspection_flights") == 15)
        #expect(text.value("postern_introspection_flights_refused_total") == 16)
    }

    @Test func revocationsAreThoseOfOneLoop() throws {
        let text = try Self.render(Self.gathered())
        #expect(text.value("postern_revocations") == 6, "every event loop knows all of them")
        #expect(text.value("postern_revocation_subscription_up") == 0)
        #expect(text.value("postern_revocation_subscription_down_seconds") == 1.5)
        #expect(text.value("postern_revocations_malformed_total") == 17)
    }

    @Test(arguments: [(true, 1.0), (false, 0)])
    func redisIsUpOrDown(row: (Bool, Double)) throws {
        var gathered = Self.gathered()
        gathered.redisUp = row.0
        #expect(try Self.render(gathered).value("postern_redis_up") == row.1)
    }

    /// An alert on `postern_redis_up == 0` must not go off where there is no Redis.
    @Test func whatIsNotConfiguredIsNotShown() throws {
        var gathered = Self.gathered()
        gathered.redisUp = nil
        gathered.revocation = nil
        gathered.introspection = IntrospectionService.Status()
        let text = try Self.render(gathered)
        #expect(!text.order.contains("postern_redis_up"))
        #expect(!text.order.contains { $0.hasPrefix("postern_revocation") })
        #expect(text.samples("postern_introspections_total").isEmpty)
        #expect(text.samples("postern_token_cache_total").allSatisfy { $0.labels["tier"] == "l1" })
    }

    @Test(arguments: ["a\"b", "a\\b", "a\nb"])
    func nameOfAnIssuerReadsBackAsItWas(name: String) throws {
        var gathered = Self.gathered()
        gathered.introspection.endpoints[0].issuer = name
        let text = try Self.render(gathered)
        #expect(text.value("postern_introspection_circuit_open", ["issuer": name]) == 1)
        #expect(text.value("postern_introspections_total", ["issuer": name, "result": "active"]) == 12)
    }
}
