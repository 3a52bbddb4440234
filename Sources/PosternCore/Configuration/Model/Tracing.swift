extension Configuration {
    /// `tracing`: which requests are recorded as spans, and where those go (OTLP over HTTP).
    public struct Tracing: Equatable, Sendable {
        /// The URL of the export, path included: `http` or `https`, without credentials and fragment.
        public var endpoint: String
        /// The share of new traces that is recorded: 0 to 1.
        public var sample: Double
        /// What a caller's word is worth.
        public var parents: TraceSampling.Parents
        /// Requests a second that are recorded at most, over all event loops.
        public var limit: Int
        /// The `service.name` of the spans.
        public var serviceName: String
        /// Sent with every export.
        public var headers: [RemoteKeys.Header]
        /// For one export, in nanoseconds: from a millisecond to a minute.
        public var timeout: Int64
        /// PEM certificates that are trusted for the export instead of the system's.
        public var ca: FileContent?
        /// Where the value of `tracing` stands.
        public var mark: Mark
    }
}
