import PosternCore
import Synchronization

/// What health checks say of one service: written by the checker, read by every event loop.
final class HealthVerdict: Sendable {
    private let state: Atomic<UInt8>
    private let succeeded = Atomic<UInt64>(0)
    private let failed = Atomic<UInt64>(0)

    init(_ value: HealthMachine.Verdict) {
        self.state = Atomic(value.rawValue)
    }

    var value: HealthMachine.Verdict {
        HealthMachine.Verdict(rawValue: self.state.load(ordering: .relaxed)) ?? .unknown
    }

    /// Whether requests are to be refused at once.
    var isDown: Bool { self.state.load(ordering: .relaxed) == HealthMachine.Verdict.down.rawValue }

    /// Checks that ended well.
    var successes: UInt64 { self.succeeded.load(ordering: .relaxed) }
    /// Checks that did not.
    var failures: UInt64 { self.failed.load(ordering: .relaxed) }

    func set(_ value: HealthMachine.Verdict) {
        self.state.store(value.rawValue, ordering: .relaxed)
    }

    /// Counts a check that has ended.
    func count(succeeded: Bool) {
        if succeeded {
            self.succeeded.add(1, ordering: .relaxed)
        } else {
            self.failed.add(1, ordering: .relaxed)
        }
    }
}
