import Logging
import PosternCore
import Synchronization

/// Whether Redis can be used, over all event loops: for the metric, and for one log line when that changes.
final class RedisStatus: Sendable {
    private struct State {
        /// By event loop; loops that have not tried yet are not in it.
        var loops: [Int: Bool] = [:]
        var wasUp: Bool?
        var down: ContinuousClock.Instant?
        var rejectionLogged: ContinuousClock.Instant?
        var unlogged = 0
    }

    private let state = Mutex(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Whether every event loop that has tried so far has a connection; nil where none has.
    var isUp: Bool? {
        self.state.withLock { $0.loops.isEmpty ? nil : $0.wasUp }
    }

    /// What an event loop's client says.
    func changed(loop: Int, isUp: Bool, reason: String?) {
        let (before, now, outage) = self.state.withLock { state in
            state.loops[loop] = isUp
            let before = state.wasUp
            let now = state.loops.values.allSatisfy { $0 }
            state.wasUp = now
            let since = state.down
            if !now, state.down == nil { state.down = .now }
            if now { state.down = nil }
            return (before, now, since.map { ContinuousClock.now - $0 })
        }
        guard before != now else { return }
        if now {
            let seconds = outage.map { "\(Double($0.components.seconds) + Double($0.components.attoseconds) / 1e18)" }
            self.logger.info("redis is up", metadata: seconds.map { ["outage_seconds": "\($0)"] } ?? [:])
        } else {
            self.logger.error("redis is down", metadata: ["reason": "\(reason ?? "no connection")"])
        }
    }

    /// An event loop has no Redis any more.
    func forget(loop: Int) {
        self.state.withLock { state in
            state.loops[loop] = nil
            if state.loops.isEmpty { state = State() }
        }
    }

    /// An entry does not count. At most one line a second, with how many it stands for; a digest stands for a token, so
    /// that only its beginning is said.
    func rejected(_ digest: TokenDigest, _ reason: RedisTier.Rejection) {
        let before: Int? = self.state.withLock { state in
            let now = ContinuousClock.now
            if let logged = state.rejectionLogged, now - logged < .seconds(1) {
                state.unlogged += 1
                return nil
            }
            defer { (state.rejectionLogged, state.unlogged) = (now, 0) }
            return state.unlogged
        }
        guard let before else { return }
        self.logger.warning(
            "an entry in redis is ignored",
            metadata: [
                "entry": "\(String(decoding: digest.hexadecimal.prefix(12), as: UTF8.self))…",
                "reason": "\(reason.rawValue)", "unlogged_before": "\(before)",
            ])
    }
}
