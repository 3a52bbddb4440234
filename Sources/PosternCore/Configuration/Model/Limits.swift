extension Configuration {
    /// A bound for the length of a body.
    public enum BodyLimit: Equatable, Sendable {
        case unlimited
        case bytes(Int)
    }

    /// `limits`, in bytes where not said otherwise. `target` and `token` are at most `head`.
    public struct Limits: Equatable, Sendable {
        /// Request line and headers together.
        public var head: Int
        public var target: Int
        /// How many header fields.
        public var headers: Int
        public var body: BodyLimit
        /// How many client connections at a time, in the whole process.
        public var connections: Int
        public var token: Int
        /// All inserted identity lines together.
        public var identity: Int
    }

    /// `timeouts`, in nanoseconds. All are at least a millisecond but for `drain` and `drainDelay`, which may be 0.
    public struct Timeouts: Equatable, Sendable {
        /// From the first byte of a request head to its end.
        public var head: Int64
        /// Between two requests of a connection.
        public var idle: Int64
        /// Between two parts of a body.
        public var bodyIdle: Int64
        public var connect: Int64
        /// From the end of a request to the upstream's response head.
        public var response: Int64
        /// How long an unused upstream connection is kept.
        public var upstreamIdle: Int64
        /// How long a tunnel may be silent.
        public var tunnelIdle: Int64
        /// How long requests in flight may take at shutdown.
        public var drain: Int64
        /// How long accepting goes on after `/readyz` has turned 503.
        public var drainDelay: Int64
    }
}
