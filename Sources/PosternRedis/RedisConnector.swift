import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Makes connections: TCP, TLS, greeting.
enum RedisConnector {
    /// Connects and greets.
    ///
    /// - Parameters:
    ///   - eventLoop: The loop of the caller, of the connection and of the callback.
    ///   - then: Called once, with a connection that is ready, or with why there is none.
    static func open(
        _ address: RedisAddress, on eventLoop: any EventLoop, times: RedisTimes, tls: NIOSSLContext?,
        greeting: RedisGreeting, then: @escaping (Result<RedisConnection, RedisTrouble>) -> Void
    ) {
        let done = NIOLoopBound((then, greeting), eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(times.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                // A name with several addresses is tried on a channel for each: every channel has its own handlers.
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(Self.client(tls, address.host)) }
                    let connection = RedisConnection(address: address, times: times, usesTLS: tls != nil)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .connect(host: address.host, port: address.port)
            .whenComplete { result in
                let (then, greeting) = done.value
                switch result {
                case .success(let channel): Self.connected(channel, address, greeting, then)
                case .failure(let error): then(.failure(Self.trouble(address, Self.describe(error))))
                }
            }
    }

    private static func connected(
        _ channel: any Channel, _ address: RedisAddress, _ greeting: RedisGreeting,
        _ then: @escaping (Result<RedisConnection, RedisTrouble>) -> Void
    ) {
        // A channel that is closed already has no handler any more.
        guard let connection = try? channel.pipeline.syncOperations.handler(type: RedisConnection.self) else {
            return then(.failure(Self.trouble(address, "the peer closed the connection")))
        }
        connection.begin(greeting) { result in then(result.map { connection }) }
    }

    private static func trouble(_ address: RedisAddress, _ reason: String) -> RedisTrouble {
        RedisTrouble(failure: .unavailable, reason: "\(address): \(reason)")
    }

    /// A name is sent (SNI) and verified; an address is verified as the address that it is.
    private static func client(_ context: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
    }

    /// A short text for operators.
    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            guard let first = error.connectionErrors.first else { return "the name cannot be resolved" }
            return Self.describe(first.error)
        case let error as IOError:
            return Self.describe(errno: error.errnoCode)
        case ChannelError.connectTimeout:
            return "no connection in time"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "TLS: the certificate is for another host"
        case let error as NIOSSLError:
            return "TLS: \(Self.reason(in: "\(error)"))"
        default:
            return "\(error)"
        }
    }

    /// BoringSSL's own name for what went wrong, out of a text that has the file and line of it too.
    private static func reason(in text: String) -> Substring {
        let words = text.split { $0 == ":" || $0 == " " }
        guard let marker = words.firstIndex(of: "OPENSSL_internal"), marker + 1 < words.endIndex else {
            return "the handshake failed"
        }
        return words[marker + 1]
    }

    private static func describe(errno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET, EPIPE: "the peer closed the connection"
        case EHOSTUNREACH, ENETUNREACH: "there is no way there"
        case ETIMEDOUT: "no connection in time"
        default: "system error \(code)"
        }
    }
}
