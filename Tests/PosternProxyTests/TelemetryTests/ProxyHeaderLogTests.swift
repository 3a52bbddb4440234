import PosternCore
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct ProxyHeaderLogTests {
    @Test func strangersDecideHowManyConnectionsThereAreButNotHowManyLines() async throws {
        let log = try OwnLog()
        let headers = ProxyHeaderLog(logger: log.logger)
        headers.refused(.untrusted, peer: Array("203.0.113.9".utf8), now: 5)
        for _ in 0..<3 { headers.refused(.malformed, peer: [], now: 5 + ProxyHeaderLog.pause - 1) }
        headers.refused(.malformed, peer: [], now: 5 + ProxyHeaderLog.pause)
        headers.refused(.timeout, peer: Array("::1".utf8), now: 5 + 2 * ProxyHeaderLog.pause)
        let lines = try await log.rest()
        #expect(lines.map { $0["message"]?.string } == Array(repeating: "connection closed: no PROXY header", count: 3))
        #expect(lines.map { $0["peer"]?.string } == ["203.0.113.9", "unix", "::1"])
        #expect(lines.map { $0["others"]?.string } == [nil, "3", nil])
        #expect(lines[0]["reason"]?.string == "the peer is not in trusted_proxies")
        #expect(lines[1]["reason"]?.string == "what came first is no well-formed PROXY header")
        #expect(lines[2]["reason"]?.string == "no PROXY header came within timeouts.head")
    }

    @Test func everyResultIsCountedForItself() {
        var counts = ProxyHeaderCounts()
        for (index, result) in ProxyHeaderCounts.Result.allCases.enumerated() { counts[result] += UInt64(index + 1) }
        #expect(ProxyHeaderCounts.Result.allCases.map { counts[$0] } == [1, 2, 3, 4, 5])
    }
}
