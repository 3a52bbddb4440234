extension Configuration {
    /// A service behind the proxy (`upstream`, and a route's own).
    public struct Upstream: Hashable, Sendable {
        public var address: Address
        /// As written, for people: `http://127.0.0.1:8001`.
        public var url: String
        /// What is spoken to it.
        public var applicationProtocol: ApplicationProtocol
        /// How many connections at a time, or requests where they share connections (HTTP/2), in the whole process.
        public var connections: Int
        /// How many requests may wait for one.
        public var queue: Int
        /// How often a request is sent again after a reused connection was closed under it: 0 or 1.
        public var retryAttempts: Int
        /// Nil: the service is not asked whether it is well.
        public var health: Health?
        /// Nil: cleartext, as the URL says.
        public var tls: ClientTLS?
        public var mark: Mark

        /// Two upstreams are the same if what they mean is; where they were written does not matter.
        public static func == (left: Upstream, right: Upstream) -> Bool {
            left.address == right.address && left.url == right.url && left.connections == right.connections
                && left.queue == right.queue && left.retryAttempts == right.retryAttempts
                && left.health == right.health && left.tls == right.tls
                && left.applicationProtocol == right.applicationProtocol
        }

        public func hash(into hasher: inout Hasher) {
            hasher.combine(self.address)
            hasher.combine(self.connections)
        }
    }

    /// What is spoken to a service (`upstream.protocol`).
    public enum ApplicationProtocol: String, Sendable, CaseIterable {
        /// HTTP/1.1.
        case http1
        /// HTTP/2: over TLS only if ALPN agrees on it, without TLS with prior knowledge.
        case h2
        /// Over TLS what ALPN agrees on, without TLS HTTP/1.1.
        case auto
    }

    /// Active health checks (`upstream.health`).
    public struct Health: Hashable, Sendable {
        /// What the service is asked for: begins with `/`, visible ASCII.
        public var path: String
        /// Nanoseconds between two checks.
        public var interval: Int64
        /// After how many failures in a row requests get 502 at once.
        public var failures: Int

        public init(path: String, interval: Int64, failures: Int) {
            self.path = path
            self.interval = interval
            self.failures = failures
        }
    }
}
