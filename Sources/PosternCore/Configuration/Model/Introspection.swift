extension Configuration {
    /// How an issuer is asked about each token (RFC 7662). Durations in nanoseconds.
    public struct Introspection: Equatable, Sendable {
        /// What question and answer look like.
        public typealias Dialect = IntrospectionDialect

        /// How the proxy authenticates itself.
        public enum Credentials: Equatable, Sendable {
            /// `Authorization: Bearer`: visible ASCII.
            case bearer(Secret)
            /// `Authorization: Basic` (RFC 6749 section 2.3.1).
            case basic(id: String, Secret)
            /// `client_id` and `client_secret` in the form. Not with dialect `hecate`, which sends none.
            case form(id: String, Secret)
        }

        /// The endpoint: `http` or `https`, without credentials and fragment.
        public var url: String
        public var dialect: Dialect
        public var credentials: Credentials
        /// For one question as a whole: at least a millisecond, and longer than `redis.timeout`.
        public var timeout: Int64
        /// How long an answer that a token is active holds; 0: not at all.
        public var cache: Int64
        /// How long an answer that a token is not active holds; 0: not at all.
        public var negativeCache: Int64
        /// How long past `cache` an answer may serve while the issuer is unreachable. May be over 0 where `cache` is 0.
        public var staleIfError: Int64
        /// PEM certificates that are trusted for the question instead of the system's.
        public var ca: FileContent?
    }
}
