import PosternCore
import Testing

@testable import PosternProxy

/// The metrics of services that are asked whether they are well, and of requests that wait for a connection.
@Suite struct UpstreamMetricsTests {
    @Test func everyCheckedServiceHasItsSeries() throws {
        let text = try PrometheusText(
            MetricsText.render(
                .init(health: [
                    .init(url: "http://a:1", isUp: true, successes: 5, failures: 2),
                    .init(url: "unix:/s\"x", isUp: false, successes: 0, failures: 9),
                ])))
        #expect(text.families["postern_upstream_healthy"]?.kind == "gauge")
        #expect(text.value("postern_upstream_healthy", ["upstream": "http://a:1"]) == 1)
        #expect(text.value("postern_upstream_healthy", ["upstream": "unix:/s\"x"]) == 0)
        let name = "postern_upstream_health_checks_total"
        #expect(text.families[name]?.kind == "counter")
        #expect(text.value(name, ["upstream": "http://a:1", "result": "success"]) == 5)
        #expect(text.value(name, ["upstream": "http://a:1", "result": "failure"]) == 2)
        #expect(text.value(name, ["upstream": "unix:/s\"x", "result": "failure"]) == 9)
    }

    @Test func withoutHealthChecksThereIsNoSeries() throws {
        let text = try PrometheusText(MetricsText.render(.init(loops: [LoopMetrics()])))
        #expect(text.families["postern_upstream_healthy"] == nil)
        #expect(text.families["postern_upstream_health_checks_total"] == nil)
    }

    @Test func requestsThatWaitedAreAddedUpOverTheLoops() throws {
        var loop = LoopMetrics()
        loop.poolQueued = 3
        loop.poolWaiting = 2
        let text = try PrometheusText(MetricsText.render(.init(loops: [loop, loop])))
        #expect(text.families["postern_pool_queued_total"]?.kind == "counter")
        #expect(text.value("postern_pool_queued_total") == 6)
        #expect(text.value("postern_pool_waiting") == 4)
    }
}
