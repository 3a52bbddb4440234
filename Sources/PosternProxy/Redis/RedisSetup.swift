import NIOCore
import NIOSSL
import PosternCore
import PosternCrypto
import PosternRedis

/// `redis:` of the configuration, made ready: how it is reached, and the seal of what is kept there.
struct RedisSetup: Sendable {
    let configuration: Configuration.Redis
    let settings: RedisSettings
    let seal: EntrySeal
    let prefix: [UInt8]

    /// - Throws: `TrustedAuthorities.Problem`, or what libssl and libcrypto say.
    init(_ configuration: Configuration.Redis) throws {
        self.configuration = configuration
        var context: NIOSSLContext?
        if configuration.usesTLS {
            let tls = try configuration.ca.map { try TrustedAuthorities.client($0) }
            context = try NIOSSLContext(configuration: tls ?? .makeClientConfiguration())
        }
        self.settings = RedisSettings(
            topology: Self.topology(configuration.topology), tls: context, user: configuration.user,
            password: configuration.password?.bytes, database: configuration.database,
            timeout: .nanoseconds(configuration.timeout))
        self.seal = try EntrySeal(secrets: configuration.seals.map(\.bytes))
        self.prefix = Array(configuration.keyPrefix.utf8)
    }

    /// Whether the configuration says the same, wherever it stands in its file.
    func isSame(as other: RedisSetup) -> Bool {
        var configuration = other.configuration
        configuration.mark = self.configuration.mark
        return self.configuration == configuration
    }

    private static func topology(_ topology: Configuration.Redis.Topology) -> RedisSettings.Topology {
        func address(_ node: Configuration.Redis.Node) -> RedisAddress {
            RedisAddress(host: node.host, port: node.port)
        }
        switch topology {
        case .single(let node): return .single(address(node))
        case .sentinel(let nodes, let master): return .sentinel(nodes.map(address), master: master)
        case .cluster(let nodes): return .cluster(nodes.map(address))
        }
    }

    /// The key of a token's entry: the prefix and the digest, never the token.
    func key(of digest: TokenDigest) -> [UInt8] { self.prefix + digest.hexadecimal }

    /// The key of the lock that one process holds while it asks about a token. In a cluster it has to be on the node of the
    /// entry, so that who finds the lock free finds the entry, too: by a hash tag, unless the prefix has one.
    func lockKey(of digest: TokenDigest) -> [UInt8] {
        let key = self.key(of: digest)
        if self.prefix.contains(UInt8(ascii: "{")) { return key + Array(":lock".utf8) }
        return self.prefix + Array("lock:{".utf8) + key + Array("}".utf8)
    }

    /// The sorted set of revocations, and the channel on which they are published.
    var revocationsKey: [UInt8] { self.prefix + Array("revocations".utf8) }
}
