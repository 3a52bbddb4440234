public import NIOCore
public import NIOSSL

/// Where a Redis, or a sentinel, listens.
public struct RedisAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name, or an IP address without brackets.
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public var description: String {
        self.host.utf8.contains(UInt8(ascii: ":")) ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}

/// How Redis is reached.
public struct RedisSettings: Sendable {
    /// How the Redis processes are arranged.
    public enum Topology: Equatable, Sendable {
        /// One process.
        case single(RedisAddress)
        /// The master that these sentinels name, asked anew for each connection.
        case sentinel([RedisAddress], master: String)
        /// A Redis Cluster; any of its nodes to begin with.
        case cluster([RedisAddress])
    }

    public var topology: Topology
    /// With it every connection, those to sentinels too, is made over TLS. A host that is a name is sent and verified
    /// as the server's name; one that is an IP address is verified against the certificate's addresses. That goes for
    /// what sentinels and cluster nodes announce as well.
    public var tls: NIOSSLContext?
    /// The user for `AUTH`; nil for the default user. Not used for sentinels.
    public var user: String?
    /// The password for `AUTH`; nil for no `AUTH`. Not used for sentinels.
    public var password: [UInt8]?
    /// The number for `SELECT`. A cluster has only 0.
    public var database: Int
    /// How long a command may take. One that takes longer ends its connection.
    public var timeout: TimeAmount

    public init(
        topology: Topology, tls: NIOSSLContext? = nil, user: String? = nil, password: [UInt8]? = nil,
        database: Int = 0, timeout: TimeAmount = .milliseconds(50)
    ) {
        self.topology = topology
        self.tls = tls
        self.user = user
        self.password = password
        self.database = database
        self.timeout = timeout
    }
}

extension RedisSettings: CustomStringConvertible, CustomReflectable {
    public var description: String { "RedisSettings(\(self.topology))" }
    /// Without the password.
    public var customMirror: Mirror { Mirror(self, children: ["topology": self.topology, "timeout": self.timeout]) }
}

/// The times of one kind of connection.
struct RedisTimes: Sendable {
    /// For opening the connection, TLS included.
    var connect: TimeAmount
    /// For each command.
    var answer: TimeAmount
    /// How long it may be quiet before a PING asks whether anybody is there.
    var quiet: TimeAmount

    /// For commands. Connecting happens in the background and takes several exchanges, so that it is given more time;
    /// what tells whether Redis is fast enough are the commands that follow.
    static func commands(timeout: TimeAmount) -> RedisTimes {
        RedisTimes(connect: max(timeout, .seconds(1)), answer: timeout, quiet: .seconds(1))
    }

    /// For a subscription, for which no request waits: a silent peer is noticed within a second, and a busy one is not
    /// given up for being slower than a request would wait.
    static let subscription = RedisTimes(connect: .seconds(1), answer: .milliseconds(500), quiet: .milliseconds(400))
}
