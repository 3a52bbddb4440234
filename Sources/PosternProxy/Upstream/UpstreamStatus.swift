import Logging
import PosternCore
import Synchronization

/// Whether services can be reached, over all event loops: for one log line when that changes, and for the
/// status page.
final class UpstreamStatus: Sendable {
    /// By URL.
    private let reports = Mutex<[String: TroubleReport]>([:])
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// There is no connection to a service. `now` is monotonic, in nanoseconds.
    func failed(_ url: String, _ reason: String, now: Int64) {
        guard self.reports.withLock({ $0[url, default: TroubleReport()].failed(reason, now: now) }) else { return }
        self.logger.error("upstream is unavailable", metadata: ["upstream": "\(url)", "reason": "\(reason)"])
    }

    /// A service has answered on a new connection.
    func answered(_ url: String) {
        guard self.reports.withLock({ $0[url]?.succeeded() ?? false }) else { return }
        self.logger.info("upstream is available", metadata: ["upstream": "\(url)"])
    }

    /// Why a service cannot be reached; nil: nothing is known against it.
    func trouble(_ url: String) -> String? { self.reports.withLock { $0[url]?.reason } }
}
