import PosternCore
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct RedisStatusTests {
    private let log: OwnLog
    private let status: RedisStatus

    init() throws {
        self.log = try OwnLog()
        self.status = RedisStatus(logger: self.log.logger)
    }

    private func messages() async throws -> [String?] { try await self.log.rest().map { $0["message"]?.string } }

    @Test func withoutRedisThereIsNoState() {
        #expect(self.status.isUp == nil)
    }

    @Test func itIsUpOnceEveryLoopIs() async throws {
        self.status.changed(loop: 0, isUp: false, reason: "127.0.0.1:1: refused")
        #expect(self.status.isUp == false)
        self.status.changed(loop: 1, isUp: true, reason: nil)
        #expect(self.status.isUp == false)
        self.status.changed(loop: 0, isUp: true, reason: nil)
        #expect(self.status.isUp == true)
        #expect(try await self.messages() == ["redis is down", "redis is up"])
    }

    @Test func onlyTheFirstLoopThatLosesItIsLogged() async throws {
        for loop in 0..<3 { self.status.changed(loop: loop, isUp: true, reason: nil) }
        #expect(try await self.messages() == ["redis is up"])
        for loop in 0..<3 { self.status.changed(loop: loop, isUp: false, reason: "reason \(loop)") }
        let lines = try await self.log.rest()
        #expect(lines.count == 1)
        #expect(lines.first?["message"]?.string == "redis is down")
        #expect(lines.first?["level"]?.string == "error")
        #expect(lines.first?["reason"]?.string == "reason 0")
        #expect(self.status.isUp == false)
    }

    @Test func returnSaysHowLongTheOutageWas() async throws {
        for loop in 0..<2 { self.status.changed(loop: loop, isUp: true, reason: nil) }
        #expect(try await self.log.rest().first?["outage_seconds"] == nil)
        for loop in 0..<2 { self.status.changed(loop: loop, isUp: false, reason: nil) }
        #expect(try await self.log.rest().first?["reason"]?.string == "no connection")
        for loop in 0..<2 { self.status.changed(loop: loop, isUp: true, reason: nil) }
        let lines = try await self.log.rest()
        #expect(lines.map { $0["message"]?.string } == ["redis is up"])
        let seconds = try #require(lines.first?["outage_seconds"]?.string.flatMap(Double.init))
        #expect(seconds >= 0 && seconds < 60)
    }

    @Test func redisThatIsNotConfiguredAnyMoreIsForgotten() {
        for loop in 0..<2 { self.status.changed(loop: loop, isUp: false, reason: nil) }
        self.status.forget(loop: 0)
        #expect(self.status.isUp == false)
        self.status.forget(loop: 1)
        #expect(self.status.isUp == nil)
    }

    /// Whoever writes into Redis decides how many there are: not how much is logged.
    @Test func entriesThatDoNotCountAreLoggedAtMostOnceASecond() async throws {
        let digest = RedisScene.digest("token-1")
        let hex = String(decoding: digest.hexadecimal, as: UTF8.self)
        let before = ContinuousClock.now
        for _ in 0..<100 { self.status.rejected(digest, .doesNotOpen) }
        let seconds = (ContinuousClock.now - before).components.seconds
        let lines = try await self.log.rest()
        let line = try #require(lines.first)
        #expect(lines.count <= 1 + Int(seconds))
        #expect(line["message"]?.string == "an entry in redis is ignored")
        #expect(line["reason"]?.string == RedisTier.Rejection.doesNotOpen.rawValue)
        #expect(line["entry"]?.string == hex.prefix(12) + "…", "not the whole digest, which stands for the token")
        #expect(line["unlogged_before"]?.string == "0")
    }
}
