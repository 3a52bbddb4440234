import Testing

@testable import PosternCore

/// What `health` of a service comes to mean.
@Suite struct HealthMeaningTests {
    private static let second: Int64 = 1_000_000_000

    private static func health(_ text: String) throws -> Configuration.Health? {
        try World.configuration("{upstream: {url: unix:/s, \(text)}}").upstream.health
    }

    @Test func withoutTheKeyNothingIsAsked() throws {
        #expect(try Self.health("queue: 1") == nil)
        #expect(try World.configuration("{upstream: unix:/s}").upstream.health == nil)
    }

    @Test func defaultsAreThoseOfTheDocument() throws {
        #expect(
            try Self.health("health: {path: /h}")
                == Configuration.Health(path: "/h", interval: 5 * Self.second, failures: 3))
    }

    @Test func valuesAreTheWrittenOnes() throws {
        #expect(
            try Self.health("health: {path: \"/h?a=b\", interval: 1m, failures: 7}")
                == Configuration.Health(path: "/h?a=b", interval: 60 * Self.second, failures: 7))
    }

    @Test func routeHasItsOwn() throws {
        let configuration = try World.configuration(
            "{upstream: {url: unix:/s, health: {path: /a}}, routes: {GET /: public, GET /r: {upstream: unix:/t}}, "
                + "issuers: {i: {issuer: x, audiences: any, keys: {file: jwk.json}}}}")
        #expect(configuration.upstream.health?.path == "/a")
        #expect(configuration.routes.compactMap(\.upstream).map(\.health) == [nil])
        let other = try World.configuration(
            "{upstream: unix:/s, routes: {GET /r: {upstream: {url: unix:/t, health: {path: /b}}}}, "
                + "issuers: {i: {issuer: x, audiences: any, keys: {file: jwk.json}}}}")
        #expect(other.routes.compactMap(\.upstream?.health?.path) == ["/b"])
        #expect(other.upstream.health == nil)
    }

    @Test func changedHealthIsAnotherUpstream() throws {
        let one = try World.configuration("{upstream: {url: unix:/s, health: {path: /h}}}").upstream
        let other = try World.configuration("{upstream: {url: unix:/s, health: {path: /h, failures: 2}}}").upstream
        let none = try World.configuration("{upstream: unix:/s}").upstream
        #expect(one != other && one != none)
        #expect(one == (try World.configuration("{upstream:   {url: unix:/s, health: {path: /h}}}").upstream))
    }

    @Test(arguments: [
        ("{path: /h}", []), ("{path: /h, interval: 500ms}", []), ("{path: /h, interval: 1m, failures: 10}", []),
        (
            "{path: /h, interval: 100ms}",
            ["upstream.health.interval: the service is asked 10 times a second: 1s or more is usual"]
        ),
        (
            "{path: /h, interval: 5m, failures: 3}",
            [
                "upstream.health.interval: a service that is down gets requests for up to 15m before it counts as down "
                    + "(interval x failures)"
            ]
        ),
    ])
    func oddTimesAreWarnedOf(health: String, expected: [String]) {
        let found = World.problems("{upstream: {url: unix:/s, health: \(health)}, routes: {GET /: public}}")
        #expect(found.allSatisfy { $0.contains("warning: ") }, "\(found)")
        #expect(found.map { String($0.split(separator: "warning: ", maxSplits: 1)[1]) } == expected)
    }

    @Test func effectivePolicyShowsIt() throws {
        let configuration = try World.configuration(
            "{upstream: {url: unix:/s, health: {path: /h}}, routes: {GET /r: {upstream: {url: unix:/t, health: {path: /b, "
                + "interval: 1m}}}}, issuers: {i: {issuer: x, audiences: any, keys: {file: jwk.json}}}}")
        let policy = try JSONReader.parse(Array(configuration.effectivePolicy().utf8).span.bytes)
        #expect(policy["upstream"]?["health"]?.serialized() == #"{"path":"/h","interval":"5s","failures":3}"#)
        #expect(
            policy["routes"]?["GET /r"]?["upstream"]?.serialized()
                == #"{"url":"unix:/t","health":{"path":"/b","interval":"1m","failures":3}}"#)
        let none = try World.configuration("{upstream: unix:/s}")
        #expect(try JSONReader.parse(Array(none.effectivePolicy().utf8).span.bytes)["upstream"]?["health"] == nil)
    }
}
