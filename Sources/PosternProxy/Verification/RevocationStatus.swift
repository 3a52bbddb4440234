import Logging
import NIOCore
import Synchronization

/// Whether revocations are heard of: for readiness, metrics and the log.
final class RevocationStatus: Sendable {
    private struct State {
        /// Whether anybody wants to hear of them.
        var isWanted = false
        var isUp = false
        /// Since when they are not heard of.
        var downSince: ContinuousClock.Instant?
        /// Whether they were ever loaded, and whether that was tried and came to an end.
        var wasLoaded = false
        var wasTried = false
        /// Whether somebody was told why they cannot be loaded, since they last were.
        var failureSaid = false
        var malformed: UInt64 = 0
    }

    private let state = Mutex(State())
    private let logger: Logger
    private let patience: TimeAmount

    /// - Parameter patience: how long revocations may be unheard of, as for the requests.
    init(logger: Logger, patience: TimeAmount = RevocationFeed.patience) {
        self.logger = logger
        self.patience = patience
    }

    /// For metrics: nil where no issuer's revocations count.
    struct Report: Sendable {
        var isUp: Bool
        /// Whether the set counts as complete where it has to be: it was loaded, and is not out of date for too long.
        var isKnown: Bool
        /// Whether the first attempt to load them has come to an end, well or not.
        var wasTried: Bool
        /// Seconds since they are not heard of.
        var downSeconds: Double
        var malformed: UInt64
    }

    var report: Report? {
        self.state.withLock { state in
            guard state.isWanted else { return nil }
            let down = state.downSince.map { ContinuousClock.now - $0 }.map { $0 / .seconds(1) } ?? 0
            let patience = Double(self.patience.nanoseconds) / 1e9
            return Report(
                isUp: state.isUp, isKnown: state.isUp || (state.wasLoaded && down < patience),
                wasTried: state.wasTried, downSeconds: down,
                malformed: state.malformed)
        }
    }

    func started() {
        self.state.withLock { state in
            state.isWanted = true
            state.isUp = false
            state.downSince = state.downSince ?? .now
        }
    }

    func stopped() {
        self.state.withLock { $0 = State() }
    }

    /// The set was loaded, and everything that is published comes.
    func loaded(count: Int) {
        let (wasUp, outage) = self.state.withLock { state in
            defer {
                (state.isUp, state.downSince, state.wasLoaded) = (true, nil, true)
                (state.wasTried, state.failureSaid) = (true, false)
            }
            return (state.isUp, state.downSince.map { ContinuousClock.now - $0 })
        }
        guard !wasUp else { return }
        var metadata: Logger.Metadata = ["revocations": "\(count)"]
        if let outage { metadata["outage_seconds"] = "\(outage / .seconds(1))" }
        self.logger.info("revocations are loaded and heard of", metadata: metadata)
    }

    /// Nothing that is published comes any more.
    func lost(reason: String) {
        let isNew = self.state.withLock { state in
            defer { (state.isUp, state.downSince, state.wasTried) = (false, state.downSince ?? .now, true) }
            return state.isUp || !state.wasLoaded
        }
        guard isNew else { return }
        self.logger.error(
            "revocations are not heard of: what is known of them holds", metadata: ["reason": "\(reason)"])
    }

    /// The set was asked for and did not come. Said once for each outage; a set that was complete stays so as long as
    /// everything that is published comes.
    func notLoaded(reason: String) {
        let isNew = self.state.withLock { state in
            defer { (state.failureSaid, state.wasTried) = (true, true) }
            return !state.failureSaid
        }
        guard isNew else { return }
        self.logger.error("the set of revocations cannot be loaded", metadata: ["reason": "\(reason)"])
    }

    /// Something that is no revocation was published, or is in the set.
    func foundMalformed() {
        let count = self.state.withLock { state in
            state.malformed &+= 1
            return state.malformed
        }
        // Once, not for every member of a set that somebody else uses.
        if count == 1 { self.logger.warning("something that is no revocation is among the revocations") }
    }
}
