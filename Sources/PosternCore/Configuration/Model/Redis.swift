extension Configuration {
    /// `redis`: the cache that all sidecars share, and the channel of revocations.
    public struct Redis: Equatable, Sendable {
        /// One server. The host is a name or an IP address, without brackets.
        public struct Node: Hashable, Sendable, CustomStringConvertible {
            public var host: String
            /// 1 to 65535.
            public var port: Int

            public init(host: String, port: Int) {
                self.host = host
                self.port = port
            }

            public var description: String { Address.host(self.host, port: self.port).description }
        }

        /// Which servers there are. In lists no two nodes are the same.
        public enum Topology: Equatable, Sendable {
            /// One server.
            case single(Node)
            /// Sentinels, at least one, that know which server is the master of this name.
            case sentinel([Node], master: String)
            /// Some nodes of a cluster, at least one; the others are found through them.
            case cluster([Node])
        }

        public var topology: Topology
        /// Whether every connection, to sentinels too, is TLS.
        public var usesTLS: Bool
        /// PEM certificates that are trusted instead of the system's.
        public var ca: FileContent?
        /// The ACL user, for the Redis nodes and not for sentinels. Only together with a password.
        public var user: String?
        /// For the Redis nodes and not for sentinels.
        public var password: Secret?
        /// 0 in a cluster.
        public var database: Int
        /// For one command, in nanoseconds: from a millisecond to 5 seconds.
        public var timeout: Int64
        /// What every key and channel begins with.
        public var keyPrefix: String
        /// At least one, each of at least 32 bytes, no two the same: the first seals, all open.
        public var seals: [Secret]
        /// Where the value of `redis` stands.
        public var mark: Mark
    }
}
