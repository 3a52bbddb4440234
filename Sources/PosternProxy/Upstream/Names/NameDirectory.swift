import Dispatch
import NIOCore
import PosternCore
import Synchronization

/// The addresses that names of services stand for, in the whole process: looked up outside of the event loops, once for all
/// of them that ask at a time.
final class NameDirectory: Sendable {
    /// What is looked up.
    struct Name: Hashable, Sendable {
        var host: String
        var port: Int
    }

    /// Finds the addresses of a name, at least one; blocks its thread. Throws what is to be said to an operator.
    typealias Lookup = @Sendable (Name) throws -> [SocketAddress]
    /// Called once, on any thread.
    typealias Answer = @Sendable (Result<[SocketAddress], any Error>) -> Void

    private let caches = Mutex<[Name: NameCache<SocketAddress, Answer>]>([:])
    private let lookUp: Lookup

    init(lookUp: @escaping Lookup = SystemNames.lookUp) {
        self.lookUp = lookUp
    }

    /// Finds the addresses of `name`, not older than `maxAge` nanoseconds.
    ///
    /// - Returns: what is known already. Nil: `later` is called.
    func addresses(of name: Name, maxAge: Int64, now: Int64, _ later: @escaping Answer) -> [SocketAddress]? {
        let action = self.caches.withLock { caches in
            caches[name, default: NameCache()].wanted(by: later, maxAge: maxAge, now: now)
        }
        switch action {
        case .answer(let addresses): return addresses
        case .wait: return nil
        case .lookUp:
            // A name server may take its time: a thread of its own, which is given back when there is nothing to do.
            DispatchQueue.global().async { self.look(up: name) }
            return nil
        }
    }

    /// An address of `name` did not answer: what is asked next is looked up anew.
    func distrust(_ name: Name) {
        self.caches.withLock { $0[name]?.distrust() }
    }

    private func look(up name: Name) {
        let result = Result { try self.lookUp(name) }
        let waiters = self.caches.withLock { caches in
            var cache = caches[name] ?? NameCache()
            defer { caches[name] = cache }
            switch result {
            case .success(let addresses): return cache.found(addresses, now: SystemClock.monotonic)
            case .failure: return cache.failed()
            }
        }
        for waiter in waiters { waiter(result) }
    }
}
