extension Configuration {
    /// One entry of `routes`.
    public struct Route: Equatable, Sendable {
        public var pattern: RoutePattern
        public var access: Access
        /// Instead of `timeouts.response`, in nanoseconds.
        public var timeout: Int64?
        /// Instead of `limits.body`.
        public var body: BodyLimit?
        /// Instead of `forward_token`.
        public var forwardToken: Bool?
        /// Instead of `upstream`.
        public var upstream: Upstream?
        /// Protocols besides websocket that a client may switch to, in lower case.
        public var upgrade: [String]
        /// Where the route's key stands.
        public var mark: Mark
    }
}
