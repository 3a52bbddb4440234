import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import PosternRedis

/// The greeting, before the connection is used.
@Suite struct RedisConnectionGreetingTests {
    private let greeting = RedisGreeting(
        RedisSettings(
            topology: .single(RedisAddress(host: "h", port: 1)), user: "u", password: bytes("hunter2"), database: 5),
        mustBeMaster: false)
    private let said =
        "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$7\r\nhunter2\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n*1\r\n$4\r\nPING\r\n"

    @Test func itIsSaidInOneWriteAndMustBeAnsweredWhole() throws {
        let rig = try Rig()
        rig.begin(self.greeting)
        #expect(try rig.written() == [self.said])
        rig.send("GET", "early")
        #expect(rig.results["GET early"] == .failure(.unavailable))
        try rig.receive("+OK\r\n+OK\r\n")
        #expect(rig.ready.isEmpty)
        try rig.receive("+PONG\r\n")
        #expect(rig.isReady)
        #expect(rig.ready.count == 1)
    }

    @Test(arguments: [
        ("-ERR unknown command 'AUTH' with args 'hunter2'\r\n-NOAUTH\r\n-NOAUTH\r\n", "AUTH was refused: ERR"),
        ("-hunter2\r\n", "AUTH was refused: ERR"),
        ("+OK\r\n-ERR DB index is out of range\r\n", "SELECT was refused: ERR"),
        ("+OK\r\n+OK\r\n-LOADING Redis is loading\r\n", "PING was refused: LOADING"),
        ("+OK\r\n+OK\r\n+hunter2\r\n", "PING was answered strangely"),
    ])
    func aRefusalEndsItWithoutTheSecret(answer: String, reason: String) throws {
        let rig = try Rig()
        rig.begin(self.greeting)
        try rig.receive(answer)
        #expect(rig.refusal == RedisTrouble(failure: .unavailable, reason: "redis:6379: \(reason)"))
        #expect(rig.ready.count == 1)
        #expect(rig.ends.isEmpty)
        #expect(!rig.channel.isActive)
    }

    @Test func itMustBeAnsweredInTime() throws {
        let rig = try Rig()
        rig.begin(self.greeting)
        try rig.receive("+OK\r\n+OK\r\n")
        rig.loop.advanceTime(by: .milliseconds(49))
        #expect(rig.ready.isEmpty)
        rig.loop.advanceTime(by: .milliseconds(1))
        #expect(rig.refusal?.failure == .timedOut)
    }

    @Test func withTLSItWaitsForTheHandshake() throws {
        let rig = try Rig(usesTLS: true)
        rig.begin(self.greeting)
        rig.loop.advanceTime(by: .milliseconds(999))
        #expect(try rig.written() == [])
        rig.channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
        #expect(try rig.written() == [self.said])
        rig.loop.advanceTime(by: .milliseconds(49))
        try rig.receive("+OK\r\n+OK\r\n+PONG\r\n")
        #expect(rig.isReady)
    }

    @Test func aHandshakeThatWasQuickerIsNotWaitedFor() throws {
        let rig = try Rig(usesTLS: true)
        rig.channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
        rig.begin(self.greeting)
        #expect(try rig.written() == [self.said])
    }

    @Test func aHandshakeIsNotWaitedForLong() throws {
        let rig = try Rig(usesTLS: true)
        rig.begin(self.greeting)
        rig.loop.advanceTime(by: .seconds(1))
        #expect(rig.refusal == RedisTrouble(failure: .timedOut, reason: "redis:6379: no TLS handshake in time"))
        #expect(try rig.written() == [])
    }

    @Test func aChannelThatIsClosedAlreadySaysSo() throws {
        let rig = try Rig()
        try rig.channel.close().wait()
        rig.begin(self.greeting)
        #expect(rig.refusal?.failure == .closed)
        #expect(rig.ready.count == 1)
    }
}
