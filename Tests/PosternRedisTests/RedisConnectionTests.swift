import NIOCore
import NIOEmbedded
import Testing

@testable import PosternRedis

@Suite struct RedisConnectionTests {
    private let ping = "*1\r\n$4\r\nPING\r\n"

    private func get(_ key: String) -> String { "*2\r\n$3\r\nGET\r\n$\(key.utf8.count)\r\n\(key)\r\n" }

    @Test func commandsOfOneTurnLeaveInOneWrite() throws {
        let rig = try Rig()
        rig.begin()
        rig.send("GET", "a")
        rig.send("GET", "b")
        #expect(try rig.written() == [self.get("a") + self.get("b")])
        rig.send("GET", "c")
        #expect(try rig.written() == [self.get("c")])
        #expect(try rig.written() == [])
    }

    @Test func repliesGoToTheirCommandsInOrder() throws {
        let rig = try Rig()
        rig.begin()
        for key in ["a", "b", "c"] { rig.send("GET", key) }
        try rig.receive("$1\r\n1\r\n-ERR no\r\n$")
        #expect(rig.order == ["GET a", "GET b"])
        try rig.receive("-1\r\n")
        #expect(rig.results["GET a"] == .success(.string(bytes("1"))))
        #expect(rig.results["GET b"] == .success(.error("ERR no")))
        #expect(rig.results["GET c"] == .success(.null))
        #expect(rig.ends == [])
    }

    @Test func whatCallbacksSendLeavesInOneWriteAfterTheRead() throws {
        let rig = try Rig()
        rig.begin()
        for key in ["a", "b"] {
            rig.connection.send(["GET", key].map(bytes)) { _ in rig.send("GET", "\(key)2") }
        }
        _ = try rig.written()
        try rig.receive("+OK\r\n+OK\r\n")
        // Without another turn of the loop.
        #expect(
            try rig.channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) } == self.get("a2")
                + self.get("b2"))
        #expect(try rig.written() == [])
    }

    @Test func aCommandWithoutAnAnswerEndsTheConnectionOnce() throws {
        let rig = try Rig()
        rig.begin()
        rig.send("GET", "a")
        rig.loop.advanceTime(by: .milliseconds(30))
        rig.send("GET", "b")
        rig.loop.advanceTime(by: .milliseconds(19))
        #expect(rig.results.isEmpty)
        rig.loop.advanceTime(by: .milliseconds(1))
        #expect(rig.results == ["GET a": .failure(.timedOut), "GET b": .failure(.timedOut)])
        #expect(rig.ends == [RedisTrouble(failure: .timedOut, reason: "redis:6379: no answer in time")])
        #expect(!rig.channel.isActive)
        rig.send("GET", "c")
        #expect(rig.results["GET c"] == .failure(.unavailable))
    }

    /// The timer is set for the oldest command, and follows the commands.
    @Test func everyCommandHasTheWholeTimeout() throws {
        let rig = try Rig()
        rig.begin()
        rig.send("GET", "a")
        rig.loop.advanceTime(by: .milliseconds(40))
        rig.send("GET", "b")
        try rig.receive("+1\r\n")
        rig.loop.advanceTime(by: .milliseconds(49))
        #expect(rig.connection.isReady)
        rig.loop.advanceTime(by: .milliseconds(1))
        #expect(rig.results["GET b"] == .failure(.timedOut))
    }

    /// A command sent long before the next PING is due must not wait for it.
    @Test func aCommandAfterAPauseHasItsOwnTimeout() throws {
        let rig = try Rig()
        rig.begin()
        rig.loop.advanceTime(by: .milliseconds(500))
        rig.send("GET", "a")
        rig.loop.advanceTime(by: .milliseconds(50))
        #expect(rig.results["GET a"] == .failure(.timedOut))
    }

    @Test func aQuietPeerIsAsked() throws {
        let rig = try Rig()
        rig.begin()
        rig.loop.advanceTime(by: .milliseconds(999))
        #expect(try rig.written() == [])
        rig.loop.advanceTime(by: .milliseconds(1))
        #expect(try rig.written() == [self.ping])
        try rig.receive("+PONG\r\n")
        rig.loop.advanceTime(by: .milliseconds(999))
        #expect(try rig.written() == [])
        rig.loop.advanceTime(by: .milliseconds(1))
        #expect(try rig.written() == [self.ping])
        rig.loop.advanceTime(by: .milliseconds(50))
        #expect(rig.ends.map(\.failure) == [.timedOut])
    }

    @Test func aPingThatIsRefusedEndsIt() throws {
        let rig = try Rig()
        rig.begin()
        rig.loop.advanceTime(by: .seconds(1))
        try rig.receive("-NOAUTH secret words\r\n")
        #expect(rig.ends.map(\.reason) == ["redis:6379: PING was refused: NOAUTH"])
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n", "*99999999\r\n", "%1\r\n"])
    func garbageFailsWhatWaits(text: String) throws {
        let rig = try Rig()
        rig.begin()
        rig.send("GET", "a")
        rig.send("GET", "b")
        try rig.receive("+fine\r\n" + text)
        #expect(rig.results == ["GET a": .success(.status("fine")), "GET b": .failure(.protocolError)])
        #expect(rig.ends.map(\.failure) == [.protocolError])
        #expect(!rig.channel.isActive)
    }

    @Test func aReplyThatAnswersNothingEndsIt() throws {
        let rig = try Rig()
        rig.begin()
        try rig.receive("+OK\r\n")
        #expect(rig.ends.map(\.failure) == [.protocolError])
    }

    @Test func aPeerThatClosesFailsWhatWaits() throws {
        let rig = try Rig()
        rig.begin()
        rig.send("GET", "a")
        try rig.channel.close().wait()
        #expect(rig.results == ["GET a": .failure(.closed)])
        #expect(rig.ends.map(\.failure) == [.closed])
    }

    /// Whoever hears of the end sees a connection that takes nothing, before its commands fail.
    @Test func theEndIsSaidBeforeTheCommandsFail() throws {
        let rig = try Rig()
        rig.begin()
        var said: [String] = []
        rig.connection.onEnd = { _ in said.append("end") }
        rig.connection.send([bytes("GET"), bytes("a")]) { _ in said.append("ready: \(rig.connection.isReady)") }
        rig.connection.close()
        #expect(said == ["end", "ready: false"])
    }

    @Test func whatWaitsIsBounded() throws {
        let rig = try Rig()
        rig.begin()
        var refused = 0
        for _ in 0..<RedisLimits.waiting {
            rig.connection.send([bytes("PING")]) { if $0 == .failure(.unavailable) { refused += 1 } }
        }
        #expect(refused == 0)
        rig.send("GET", "over")
        #expect(rig.results == ["GET over": .failure(.unavailable)])
        try rig.receive("+PONG\r\n")
        rig.send("GET", "fits")
        #expect(rig.results["GET fits"] == nil)
    }

    @Test func theOctetsThatWaitAreBounded() throws {
        let rig = try Rig()
        rig.begin()
        let large = [UInt8](repeating: 1, count: RedisLimits.waitingBytes)
        rig.connection.send([bytes("SET"), bytes("k"), large]) { _ in }
        rig.send("GET", "over")
        #expect(rig.results == ["GET over": .failure(.unavailable)])
        try rig.receive("+OK\r\n")
        rig.send("GET", "fits")
        #expect(rig.results["GET fits"] == nil)
    }

    @Test func pushesAnswerNothing() throws {
        let rig = try Rig()
        rig.begin()
        var pushes: [RedisReply] = []
        rig.connection.takesPush = { reply in
            guard case .integer = reply else { return false }
            pushes.append(reply)
            return true
        }
        rig.send("GET", "a")
        try rig.receive(":1\r\n+a\r\n:2\r\n")
        #expect(pushes == [.integer(1), .integer(2)])
        #expect(rig.results == ["GET a": .success(.status("a"))])
    }
}
