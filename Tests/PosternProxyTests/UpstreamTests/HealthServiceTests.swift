import NIOCore
import NIOPosix
import PosternCore
import Testing

@testable import PosternProxy

/// Health checks of a process: against a service in this process that is well, or not.
@Suite struct HealthServiceTests {
    private static let well = ScriptedService.Script.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    private static let ill = ScriptedService.Script.say("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
    private static let down = "upstream is unhealthy: requests are refused"
    private static let again = "upstream is healthy again"

    private static func snapshot(_ service: ScriptedService, health: String?, extra: String = "queue: 1") throws
        -> Snapshot
    {
        let checks = health.map { ", health: {path: /h, interval: 250ms, \($0)}" } ?? ""
        return try Snapshots.make(
            "version: 1\nupstream: {url: \"http://127.0.0.1:\(service.port)\", \(extra)\(checks)}\n"
                + "routes: {GET /: public}\n", loops: 2)
    }

    private static func adopt(_ health: HealthService, _ snapshot: Snapshot) throws -> HealthVerdict {
        health.adopt(snapshot, on: MultiThreadedEventLoopGroup.singleton.next())
        return try #require(health.verdict(for: snapshot.upstreams[0]))
    }

    /// Waits for a line of the log without holding a thread up, which checks need as well; the lines until then.
    private static func lines(of log: OwnLog, until message: String) async throws -> [JSONValue] {
        var lines: [JSONValue] = []
        let limit = ContinuousClock.now + .seconds(20)
        while !lines.contains(where: { $0["message"]?.string == message }) {
            try #require(ContinuousClock.now < limit, "no line says \(message)")
            lines += try await log.rest()
            try await Task.sleep(for: .milliseconds(2))
        }
        return lines
    }

    @Test("a service goes down with so many failures in a row, and up with one success; each is said once")
    func downAndUp() async throws {
        let log = try OwnLog()
        let service = try await ScriptedService(Self.ill)
        let health = HealthService(names: NameDirectory(), logger: log.logger)
        let verdict = try Self.adopt(health, try Self.snapshot(service, health: "failures: 3"))
        let line = try #require(try await Self.lines(of: log, until: Self.down).last)
        #expect(line["upstream"]?.string == "http://127.0.0.1:\(service.port)")
        #expect(line["path"]?.string == "/h" && line["reason"]?.string == "status 500")
        #expect(verdict.isDown && verdict.failures >= 3 && verdict.successes == 0)
        #expect(health.status.map(\.isUp) == [false])
        service.change(Self.well)
        let lines = try await Self.lines(of: log, until: Self.again)
        #expect(lines.map { $0["level"]?.string } == ["info"], "lines at changes only")
        #expect(verdict.value == .up && verdict.successes >= 1)
        #expect(health.status.map(\.isUp) == [true])
        health.stop()
        #expect(try await log.rest().isEmpty)
        await service.stop()
    }

    @Test("a service that is well from the beginning is up without a word; before its first answer it is unknown")
    func wellFromTheBeginning() async throws {
        let log = try OwnLog()
        let service = try await ScriptedService(Self.well)
        let health = HealthService(names: NameDirectory(), logger: log.logger)
        let snapshot = try Self.snapshot(service, health: "failures: 1")
        #expect(health.verdict(for: snapshot.upstreams[0])?.value == .unknown)
        #expect(health.status.isEmpty, "nothing is checked before the snapshot is in force")
        let verdict = try Self.adopt(health, snapshot)
        let limit = ContinuousClock.now + .seconds(20)
        while verdict.value != .up, ContinuousClock.now < limit { try await Task.sleep(for: .milliseconds(1)) }
        #expect(verdict.value == .up)
        health.stop()
        #expect(try await log.rest().isEmpty)
        await service.stop()
    }

    @Test("what is the same after a reload goes on as it was")
    func sameAfterReload() async throws {
        let log = try OwnLog()
        let service = try await ScriptedService(Self.ill)
        let health = HealthService(names: NameDirectory(), logger: log.logger)
        let verdict = try Self.adopt(health, try Self.snapshot(service, health: "failures: 1"))
        _ = try await Self.lines(of: log, until: Self.down)
        let other = try Self.snapshot(service, health: "failures: 1", extra: "connections: 7, queue: 3")
        #expect(try Self.adopt(health, other) === verdict, "how many connections there may be is nothing to the checks")
        #expect(verdict.isDown)
        health.stop()
        await service.stop()
    }

    @Test("changed settings count from the reload on, and what was down stays down until a check succeeds")
    func changedSettings() async throws {
        let log = try OwnLog()
        let service = try await ScriptedService(Self.ill)
        let health = HealthService(names: NameDirectory(), logger: log.logger)
        let before = try Self.adopt(health, try Self.snapshot(service, health: "failures: 1"))
        _ = try await Self.lines(of: log, until: Self.down)
        let after = try Self.adopt(health, try Self.snapshot(service, health: "failures: 1000"))
        #expect(after !== before && after.isDown)
        service.change(Self.well)
        _ = try await Self.lines(of: log, until: Self.again)
        #expect(after.value == .up && before.isDown, "nobody asks for the one before any more")
        health.stop()
        await service.stop()
    }

    @Test("health that a reload brings begins with a service that is up, and one that a reload takes away is over")
    func broughtAndTakenAway() async throws {
        let log = try OwnLog()
        let service = try await ScriptedService(Self.ill)
        let health = HealthService(names: NameDirectory(), logger: log.logger)
        let without = try Self.snapshot(service, health: nil)
        health.adopt(without, on: MultiThreadedEventLoopGroup.singleton.next())
        #expect(health.verdict(for: without.upstreams[0]) == nil && health.status.isEmpty)
        let with = try Self.snapshot(service, health: "failures: 1000")
        #expect(try Self.adopt(health, with).value == .up)
        health.adopt(without, on: MultiThreadedEventLoopGroup.singleton.next())
        #expect(health.status.isEmpty)
        health.stop()
        await service.stop()
    }

    @Test("services that routes name are checked each by their own rules, and one URL has one series")
    func routes() async throws {
        let log = try OwnLog()
        let one = try await ScriptedService(Self.well)
        let two = try await ScriptedService(Self.ill)
        let snapshot = try Snapshots.make(
            """
            version: 1
            upstream: {url: "http://127.0.0.1:\(one.port)", health: {path: /a, interval: 250ms}}
            issuers: {i: {issuer: x, audiences: any, algorithms: [HS256], keys: {secret: "0123456789abcdef0123456789abcdef"}}}
            routes:
              GET /two: {upstream: {url: "http://127.0.0.1:\(two.port)", health: {path: /b, interval: 250ms, failures: 1}}}
              GET /one: {upstream: {url: "http://127.0.0.1:\(one.port)", health: {path: /c, interval: 250ms}}}
              GET /none: {upstream: "http://127.0.0.1:\(one.port)"}
            """)
        let health = HealthService(names: NameDirectory(), logger: log.logger)
        health.adopt(snapshot, on: MultiThreadedEventLoopGroup.singleton.next())
        let line = try #require(try await Self.lines(of: log, until: Self.down).last)
        #expect(line["upstream"]?.string == "http://127.0.0.1:\(two.port)" && line["path"]?.string == "/b")
        #expect(snapshot.upstreams.map { health.verdict(for: $0)?.isDown } == [false, true, false, nil])
        #expect(health.status.map(\.url) == [one, two].map { "http://127.0.0.1:\($0.port)" })
        health.stop()
        await one.stop()
        await two.stop()
    }
}
