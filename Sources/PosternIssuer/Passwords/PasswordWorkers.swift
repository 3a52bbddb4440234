import NIOCore
import NIOPosix
import Synchronization

/// Runs password hashes on threads where they hold nobody up: at most so many at once, and only so many may wait.
///
/// A hash takes tens of milliseconds and 32 MiB. On the threads that serve requests a few logins would stop the token
/// endpoint, and without a limit a flood of them would take all memory.
final class PasswordWorkers: Sendable {
    private struct State {
        var running = 0
        var waiting: [CheckedContinuation<Void, any Error>] = []
    }

    /// How many may wait for each that runs: a second or so of work.
    static let queue = 16

    private let limit: Int
    private let waitingLimit: Int
    private let threads: NIOThreadPool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: Hashes at once: one for each processor that this process may use.
    ///   - waitingLimit: How many more may wait.
    init(limit: Int = System.coreCount, waitingLimit: Int? = nil, threads: NIOThreadPool = .singleton) {
        self.limit = max(limit, 1)
        self.waitingLimit = waitingLimit ?? self.limit * Self.queue
        self.threads = threads
    }

    /// How many run now.
    var running: Int { self.state.withLock(\.running) }

    /// How many wait now.
    var waiting: Int { self.state.withLock(\.waiting.count) }

    /// What `work` gives. Throws `PasswordOverload` at once when too many wait, or what `work` throws.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await self.enter()
        defer { self.leave() }
        return try await self.threads.runIfActive(work)
    }

    private func enter() async throws {
        try await withCheckedThrowingContinuation { turn in
            let outcome: Result<Void, any Error>? = self.state.withLock { state in
                if state.running < self.limit {
                    state.running += 1
                    return .success(())
                }
                guard state.waiting.count < self.waitingLimit else { return .failure(PasswordOverload()) }
                state.waiting.append(turn)
                return nil
            }
            if let outcome { turn.resume(with: outcome) }
        }
    }

    /// Hands the turn to the next one that waits.
    private func leave() {
        let next: CheckedContinuation<Void, any Error>? = self.state.withLock { state in
            if state.waiting.isEmpty {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

/// More passwords are to be hashed than can be.
struct PasswordOverload: Error, Equatable {
    /// Seconds after which it is worth another try.
    static let retryAfter = 1
}
