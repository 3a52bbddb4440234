import PosternCore
import Testing

@testable import PosternProxy

@Suite struct MetricsTextTests {
    @Test func freshProcessIsWellFormed() throws {
        let text = try PrometheusText(MetricsText.render(MetricsText.Gathered()))
        #expect(text.samples("postern_requests_total").isEmpty)
        #expect(text.value("postern_request_duration_seconds_count") == 0)
        #expect(text.value("postern_request_duration_seconds_bucket", ["le": "+Inf"]) == 0)
    }

    @Test(arguments: [
        ("postern_requests_total", "counter", ["route", "method", "status"]),
        ("postern_request_duration_seconds", "histogram", ["le"]),
        ("postern_upstream_duration_seconds", "histogram", ["le"]),
        ("postern_decisions_total", "counter", ["route", "code"]),
        ("postern_token_cache_total", "counter", ["tier", "result"]),
        ("postern_key_refreshes_total", "counter", ["issuer", "result"]),
        ("postern_key_age_seconds", "gauge", ["issuer"]), ("postern_spoofed_headers_total", "counter", []),
        ("postern_reloads_total", "counter", ["result"]), ("postern_connections", "gauge", ["side"]),
        ("postern_log_lines_dropped_total", "counter", []), ("postern_proxy_headers_total", "counter", ["result"]),
        ("postern_tls_handshakes_total", "counter", ["result"]), ("postern_tunnels", "gauge", ["protocol"]),
        ("postern_tunnels_ended_total", "counter", ["protocol", "end"]),
        ("postern_http2_malformed_requests_total", "counter", []),
    ])
    func documentedMetricIsThereWithItsLabels(row: (String, String, [String])) throws {
        let text = try PrometheusText(MetricsText.render(Self.busy()))
        let family = try #require(text.families[row.0])
        #expect(family.kind == row.1)
        #expect(!family.samples.isEmpty)
        for sample in family.samples where !sample.name.hasSuffix("_sum") && !sample.name.hasSuffix("_count") {
            #expect(Set(sample.labels.keys) == Set(row.2))
        }
    }

    @Test func countersOfAllLoopsAreAddedUp() throws {
        let text = try PrometheusText(MetricsText.render(Self.busy()))
        let request = ["route": "GET /a", "method": "GET", "status": "200"]
        #expect(text.value("postern_requests_total", request) == 3)
        #expect(
            text.value("postern_requests_total", ["route": "none", "method": "OTHER", "status": "499"]) == 1)
        #expect(text.value("postern_decisions_total", ["route": "default", "code": "permit"]) == 2)
        #expect(text.value("postern_decisions_total", ["route": "GET /a", "code": "upstream_timeout"]) == 1)
        #expect(text.value("postern_token_cache_total", ["tier": "l1", "result": "hit"]) == 30)
        #expect(text.value("postern_token_cache_total", ["tier": "l1", "result": "miss"]) == 10)
        #expect(text.value("postern_token_cache_entries") == 6)
        #expect(text.value("postern_connections", ["side": "downstream"]) == 14)
        #expect(text.value("postern_connections", ["side": "upstream"]) == 4)
        #expect(text.value("postern_spoofed_headers_total") == 2)
        #expect(text.value("postern_pool_waiting") == 8)
        #expect(text.value("postern_tunnels", ["protocol": "websocket"]) == 2)
        #expect(text.value("postern_tunnels", ["protocol": "other"]) == 0)
        #expect(text.value("postern_tunnels_ended_total", ["protocol": "other", "end": "expired"]) == 2)
        #expect(text.value("postern_tunnels_ended_total", ["protocol": "websocket", "end": "expired"]) == 0)
        #expect(text.value("postern_upstream_retries_total") == 10)
        #expect(text.value("postern_upstream_connect_failures_total") == 12)
    }

    @Test func factsOfTheProcessAreThoseGathered() throws {
        let text = try PrometheusText(MetricsText.render(Self.busy()))
        #expect(text.value("postern_reloads_total", ["result": "applied"]) == 3)
        #expect(text.value("postern_reloads_total", ["result": "refused"]) == 4)
        #expect(text.value("postern_log_lines_dropped_total") == 5)
        #expect(text.value("postern_connections_refused_total") == 6)
        #expect(text.value("postern_draining") == 1)
        #expect(text.value("postern_build_info", ["version": PosternVersion.current]) == 1)
    }

    @Test func keysOfAnIssuerHaveAnAgeOnceTheyCame() throws {
        let text = try PrometheusText(MetricsText.render(Self.busy()))
        #expect(text.value("postern_key_refreshes_total", ["issuer": "one", "result": "success"]) == 7)
        #expect(text.value("postern_key_refreshes_total", ["issuer": "one", "result": "failure"]) == 2)
        #expect(text.value("postern_key_age_seconds", ["issuer": "one"]) == 90.5)
        #expect(text.value("postern_key_refreshes_total", ["issuer": "two", "result": "failure"]) == 9)
        #expect(text.samples("postern_key_age_seconds").count == 1)
    }

    @Test func bucketsAreCumulativeAndEndWithTheCount() throws {
        let text = try PrometheusText(MetricsText.render(Self.busy()))
        for name in ["postern_request_duration_seconds", "postern_upstream_duration_seconds"] {
            let buckets = text.samples(name).filter { $0.name == "\(name)_bucket" }
            let bounds = buckets.compactMap { Double($0.labels["le"]?.replacing("+Inf", with: "inf") ?? "") }
            #expect(bounds == Histogram.bounds + [.infinity])
            #expect(buckets.map(\.value) == buckets.map(\.value).sorted())
            #expect(buckets.last?.value == text.value("\(name)_count"))
        }
        #expect(text.value("postern_request_duration_seconds_bucket", ["le": "0.001"]) == 2)
        #expect(text.value("postern_request_duration_seconds_bucket", ["le": "10.0"]) == 2)
        #expect(text.value("postern_request_duration_seconds_count") == 4)
        #expect(text.value("postern_request_duration_seconds_sum") == 40.002)
    }

    @Test(arguments: ["GET /a\"b", "GET /a\\", "GET /a\nb", "GET /\\n", "GET /straße/{id}", "\",status=\"1"])
    func labelReadsBackAsItWas(name: String) throws {
        var gathered = Self.busy()
        gathered.routeNames[2] = name
        gathered.keys[0].issuer = name
        let text = try PrometheusText(MetricsText.render(gathered))
        #expect(text.value("postern_requests_total", ["route": name, "method": "GET", "status": "200"]) == 3)
        #expect(text.value("postern_key_age_seconds", ["issuer": name]) == 90.5)
    }

    @Test func labelsComeFromClosedSets() throws {
        var gathered = MetricsText.Gathered()
        gathered.routeNames = ["none", "default", "GET /a", "GET /b"]
        var loop = LoopMetrics()
        for route in gathered.routeNames.indices {
            for method in Method.allCases {
                loop.requests.increment(LoopMetrics.requestKey(route: route, method: method, status: 200))
            }
            for decision in LoopMetrics.decisionNames.indices {
                loop.decisions.increment(LoopMetrics.decisionKey(route: route, decision: decision))
            }
        }
        gathered.loops = [loop]
        let named = try PrometheusText(MetricsText.render(gathered))
        let requests = named.samples("postern_requests_total")
        #expect(Set(requests.compactMap { $0.labels["route"] }) == Set(gathered.routeNames))
        #expect(Set(requests.compactMap { $0.labels["method"] }) == Set(Method.allCases.map(\.name)))
        let codes = Set(["permit", "preflight", "preflight_denied"] + RefusalCode.allCases.map(\.rawValue))
        #expect(Set(named.samples("postern_decisions_total").compactMap { $0.labels["code"] }) == codes)
    }

    private static func busy() -> MetricsText.Gathered {
        var loop = LoopMetrics()
        loop.requests.increment(LoopMetrics.requestKey(route: 2, method: .get, status: 200))
        loop.decisions.increment(LoopMetrics.decisionKey(route: 1, decision: LoopMetrics.permit))
        loop.requestDuration.record(1_000_000)
        loop.requestDuration.record(20_000_000_000)
        loop.upstreamDuration.record(3_000_000)
        loop.cacheHits = 15
        loop.cacheMisses = 5
        loop.cachedTokens = 3
        loop.spoofedRequests = 1
        loop.downstreamConnections = 7
        loop.upstreamConnections = 2
        loop.poolWaiting = 4
        loop.upstreamRetries = 5
        loop.upstreamConnectFailures = 6
        loop.tunnels.opened(.webSocket)
        loop.tunnels.opened(.other)
        loop.tunnels.ended(.other, .expired)
        var other = loop
        other.requests.increment(LoopMetrics.requestKey(route: 2, method: .get, status: 200))
        other.requests.increment(LoopMetrics.requestKey(route: 0, method: .other, status: 499))
        other.decisions.increment(
            LoopMetrics.decisionKey(route: 2, decision: LoopMetrics.index(of: .upstreamTimeout)))
        return MetricsText.Gathered(
            loops: [loop, other],
            keys: [
                .init(issuer: "one", hasKeys: true, age: 90_500_000_000, successes: 7, failures: 2),
                .init(issuer: "two", hasKeys: false, age: nil, successes: 0, failures: 9),
            ],
            routeNames: ["none", "default", "GET /a"], reloadsApplied: 3, reloadsRefused: 4, droppedLogLines: 5,
            refusedConnections: 6, draining: true)
    }
}
