import Logging
import Synchronization

/// Says which connections were closed for want of a PROXY header. At most once a second, since a stranger decides how many
/// there are; the metric counts all of them.
final class ProxyHeaderLog: Sendable {
    private struct State {
        /// Monotonic nanoseconds from which on a line may be written again.
        var quietUntil = Int64.min
        /// Connections without a line since the last one.
        var unsaid: UInt64 = 0
    }

    private let logger: Logger
    private let state = Mutex(State())
    /// Nanoseconds between two lines.
    static let pause: Int64 = 1_000_000_000

    init(logger: Logger) {
        self.logger = logger
    }

    /// A connection was closed without an answer.
    ///
    /// - Parameters:
    ///   - peer: its address; empty for a unix socket.
    ///   - now: monotonic nanoseconds.
    func refused(_ result: ProxyHeaderCounts.Result, peer: [UInt8], now: Int64) {
        let unsaid: UInt64? = self.state.withLock { state in
            guard now >= state.quietUntil else {
                state.unsaid += 1
                return nil
            }
            state.quietUntil = now &+ Self.pause
            defer { state.unsaid = 0 }
            return state.unsaid
        }
        guard let unsaid else { return }
        var metadata: Logger.Metadata = [
            "reason": "\(Self.reason(result))",
            "peer": "\(peer.isEmpty ? "unix" : String(decoding: peer, as: UTF8.self))",
        ]
        if unsaid > 0 { metadata["others"] = "\(unsaid)" }
        self.logger.warning("connection closed: no PROXY header", metadata: metadata)
    }

    private static func reason(_ result: ProxyHeaderCounts.Result) -> String {
        switch result {
        case .untrusted: "the peer is not in trusted_proxies"
        case .malformed: "what came first is no well-formed PROXY header"
        case .timeout: "no PROXY header came within timeouts.head"
        case .accepted, .closed: result.rawValue
        }
    }
}
