/// What became of connections that begin with a PROXY header: plain integers of one event loop.
struct ProxyHeaderCounts: Equatable, Sendable {
    /// Labels of the metric.
    enum Result: String, CaseIterable, Sendable {
        /// There was one.
        case accepted
        /// The peer is none that may send one.
        case untrusted
        /// What came first is no well-formed header.
        case malformed
        /// It did not come in time.
        case timeout
        /// The peer went away before it had sent one: what a load balancer does that checks whether somebody is there.
        case closed
    }

    private var counts = [UInt64](repeating: 0, count: Result.allCases.count)

    subscript(result: Result) -> UInt64 {
        get { self.counts[Self.index(result)] }
        set { self.counts[Self.index(result)] = newValue }
    }

    private static func index(_ result: Result) -> Int {
        switch result {
        case .accepted: 0
        case .untrusted: 1
        case .malformed: 2
        case .timeout: 3
        case .closed: 4
        }
    }
}
