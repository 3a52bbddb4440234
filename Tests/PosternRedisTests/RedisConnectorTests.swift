import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import PosternRedis

/// What is said when there is no connection.
@Suite(.timeLimit(.minutes(1))) struct RedisConnectorTests {
    @Test func systemErrorsHaveShortTexts() {
        #expect(RedisConnector.describe(IOError(errnoCode: 111, reason: "connect")) == "connection refused")
        #expect(RedisConnector.describe(IOError(errnoCode: 4095, reason: "connect")) == "system error 4095")
        #expect(RedisConnector.describe(ChannelError.connectTimeout(.seconds(1))) == "no connection in time")
        #expect(
            RedisConnector.describe(NIOSSLExtraError.failedToValidateHostname)
                == "TLS: the certificate is for another host")
        #expect(RedisConnector.describe(NIOSSLError.uncleanShutdown) == "TLS: the handshake failed")
    }

    /// A Redis that speaks no TLS.
    @Test func aFailedHandshakeHasAShortTextToo() async throws {
        let redis = try await FakeRedis.start(on: MultiThreadedEventLoopGroup.singleton.next()) { command, _ in
            ordinary(command)
        }
        let client = try await LiveClient.start(
            RedisSettings(
                topology: .single(redis.address), tls: NIOSSLContext(configuration: .makeClientConfiguration()),
                timeout: .seconds(10)))
        #expect(await client.change() == .init(isUp: false, reason: "\(redis.address): TLS: WRONG_VERSION_NUMBER"))
        try await client.stop()
        try await redis.stop()
    }

    @Test func aNameThatNobodyHasIsSaidToBe() async throws {
        let client = try await LiveClient.start(
            RedisSettings(topology: .single(RedisAddress(host: "no-such-host.invalid", port: 6379))))
        #expect(
            await client.change()
                == .init(isUp: false, reason: "no-such-host.invalid:6379: the name cannot be resolved"))
        try await client.stop()
    }
}
