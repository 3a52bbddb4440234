import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import PosternProxy

@Suite struct HandshakeWatchTests {
    /// What the watch has said so far.
    private final class Told {
        var results: [Bool] = []
    }

    private static func scene() throws -> (EmbeddedChannel, HandshakeWatch, Told) {
        let watch = HandshakeWatch()
        let channel = EmbeddedChannel(handler: watch)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (channel, watch, Told())
    }

    private static func wait(_ channel: EmbeddedChannel, _ watch: HandshakeWatch, _ told: Told) {
        watch.await(channel, until: channel.embeddedEventLoop.now + .seconds(1)) { result in
            told.results.append((try? result.get()) != nil)
        }
    }

    private static let completed = TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil)

    @Test func endIsToldOnce() throws {
        let (channel, watch, told) = try Self.scene()
        Self.wait(channel, watch, told)
        #expect(told.results.isEmpty)
        channel.pipeline.fireUserInboundEventTriggered(Self.completed)
        channel.pipeline.fireUserInboundEventTriggered(Self.completed)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(told.results == [true])
    }

    @Test func endBeforeTheQuestionIsToldWithTheQuestion() throws {
        let (channel, watch, told) = try Self.scene()
        channel.pipeline.fireUserInboundEventTriggered(Self.completed)
        Self.wait(channel, watch, told)
        #expect(told.results == [true])
    }

    @Test func timeEndsIt() throws {
        let (channel, watch, told) = try Self.scene()
        Self.wait(channel, watch, told)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(999))
        #expect(told.results.isEmpty)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(told.results == [false])
    }

    @Test func errorEndsItAndTheConnection() throws {
        let (channel, watch, told) = try Self.scene()
        Self.wait(channel, watch, told)
        channel.pipeline.fireErrorCaught(ChannelError.inputClosed)
        #expect(told.results == [false])
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }

    @Test func endOfTheConnectionEndsIt() throws {
        let (channel, watch, told) = try Self.scene()
        Self.wait(channel, watch, told)
        channel.pipeline.fireChannelInactive()
        #expect(told.results == [false])
    }
}
