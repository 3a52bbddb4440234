import Logging
import PosternCore
import PosternRedis
import ServiceLifecycle

/// Brings the store's revocations to Redis: each into the sorted set, then onto the channel (3-behaviour, "Revocation").
///
/// What was acknowledged is in the store, and Redis follows it: what is not published yet is tried until Redis took it,
/// in the order of the store; and whenever Redis comes (back), all that has not expired is ensured to be in the set, and
/// published again if it was not: a Redis that lost its data gets it back. It looks into the store every second, because
/// commands and other processes write there too.
actor RevocationPublisher: Service {
    private enum Event: Sendable {
        case up
        case down(String?)
        /// Somebody waits for what was just stored.
        case stored
        /// The next page of the comparison is to be looked at.
        case page
        /// Another process may have stored something, or the last attempt failed.
        case poll
    }

    /// Revocations of one write to Redis.
    private static let batch = 256
    /// Between two looks into the store, and between two sweeps of the set, in seconds.
    private static let pause = Duration.seconds(1)
    private static let sweepInterval = 60.0

    private let store: any IssuerStore
    private let redis: RedisPort
    private let set: RevocationSetCommands
    private let clock: IssuerClock
    private let logger: Logger
    private let events: AsyncStream<Event>
    private let queue: AsyncStream<Event>.Continuation

    private var waiters: [CheckedContinuation<Bool, Never>] = []
    private var hasEnded = false
    private var poll: Task<Void, any Error>?
    /// Up to which row of the store the set has been compared; nil once all is.
    private var compared: Int64? = 0
    private var restored = 0
    private var sweptAt = -Double.infinity
    /// Whether Redis is connected.
    private(set) var isUp = false
    /// Whether the last attempt failed.
    private var hasFailed = false
    /// Since when something waits that could not be published (Unix seconds); nil: nothing does.
    private var waitsSince: Double?
    /// What Redis or the store refused with: said once.
    private var trouble: String?

    init(store: any IssuerStore, redis: RedisPort, name: String, clock: IssuerClock, logger: Logger) {
        self.store = store
        self.redis = redis
        self.set = RevocationSetCommands(name: name)
        self.clock = clock
        self.logger = logger
        (self.events, self.queue) = AsyncStream.makeStream()
    }

    /// Waits until what the store holds has been tried. False: not everything is published yet; that goes on in the
    /// background.
    func publish() async -> Bool {
        guard !self.hasEnded else { return false }
        return await withCheckedContinuation { waiter in
            self.waiters.append(waiter)
            self.queue.yield(.stored)
        }
    }

    /// For how many seconds something has waited that could not be published.
    var lag: Double {
        self.waitsSince.map { max(0, self.clock.now() - $0) } ?? 0
    }

    /// Works until the graceful shutdown, or until the task is cancelled.
    func run() async throws {
        let queue = self.queue
        self.redis.start { isUp, reason in queue.yield(isUp ? .up : .down(reason)) }
        await cancelWhenGracefulShutdown { await self.work() }
        self.poll?.cancel()
        // What was stored last, in a task of its own: this one is cancelled.
        if self.isUp { await Task { try? await self.publishWaiting() }.value }
        await self.redis.stop()
        self.hasEnded = true
        self.release(self.waiters, isPublished: false)
        self.waiters = []
    }

    private func work() async {
        for await event in self.events { await self.handle(event) }
    }

    private func handle(_ event: Event) async {
        switch event {
        case .up:
            self.isUp = true
            self.logger.info("Redis is connected")
            (self.compared, self.restored) = (0, 0)
        case .down(let reason):
            self.isUp = false
            self.logger.warning(
                "Redis cannot be reached: revocations are kept until it can", metadata: ["reason": "\(reason ?? "-")"])
        case .stored where self.waiters.isEmpty:
            // An earlier attempt was theirs too.
            return
        case .poll:
            self.poll = nil
        case .stored, .page:
            break
        }
        await self.attempt()
    }

    /// What waits first, because somebody may be waiting for it; then one page of the comparison.
    private func attempt() async {
        let waiting = self.waiters
        self.waiters = []
        var isPublished = false
        do {
            try await self.publishWaiting()
            isPublished = true
            self.release(waiting, isPublished: true)
            try await self.compare()
            try await self.sweep()
            (self.hasFailed, self.trouble) = (false, nil)
        } catch {
            if !isPublished { self.release(waiting, isPublished: false) }
            self.hasFailed = true
            self.report(error)
        }
        self.lookAgain()
    }

    private func release(_ waiters: [CheckedContinuation<Bool, Never>], isPublished: Bool) {
        for waiter in waiters { waiter.resume(returning: isPublished) }
    }

    private func lookAgain() {
        guard self.poll == nil else { return }
        let queue = self.queue
        self.poll = Task {
            try await Task.sleep(for: Self.pause)
            queue.yield(.poll)
        }
    }

    /// A connection that failed has been reported with its reason already.
    private func report(_ error: any Error) {
        if error is CancellationError || error is RedisFailure { return }
        let reason = "\(error)"
        guard self.trouble != reason else { return }
        self.trouble = reason
        self.logger.error("revocations are kept, but cannot be published", metadata: ["reason": "\(reason)"])
    }
}

// MARK: - What is done

extension RevocationPublisher {
    /// Throws what stops it; what was published until then is marked.
    private func publishWaiting() async throws {
        var late = 0
        while true {
            let batch = try await self.store.unpublishedRevocations(now: self.clock.now(), limit: Self.batch)
            guard let last = batch.last else { break }
            if self.waitsSince == nil { self.waitsSince = self.clock.now() }
            _ = try await self.integers(batch.map(self.set.add))
            // Only then: whoever subscribes and loads the set now misses nothing.
            _ = try await self.integers(batch.map(self.set.publish))
            try await self.store.markRevocationsPublished(through: last.id)
            late += batch.count
        }
        self.waitsSince = nil
        guard self.hasFailed, late > 0 else { return }
        self.logger.info("revocations published that had to wait for Redis", metadata: ["count": "\(late)"])
    }

    /// Ensures that the next page of what was published is in the set. What was stored since waits for its own turn.
    private func compare() async throws {
        guard let compared = self.compared else { return }
        let page = try await self.store.publishedRevocations(after: compared, now: self.clock.now(), limit: Self.batch)
        guard let last = page.last else {
            self.compared = nil
            if self.restored > 0 {
                self.logger.notice(
                    "Redis had lost revocations: added and published again", metadata: ["count": "\(self.restored)"])
            }
            return
        }
        let added = try await self.integers(page.map(self.set.add))
        let missed = zip(page, added).filter { $1 > 0 }.map(\.0)
        _ = try await self.integers(missed.map(self.set.publish))
        self.restored += missed.count
        self.compared = last.id
        self.queue.yield(.page)
    }

    /// Removes what may be forgotten, at most once a minute.
    private func sweep() async throws {
        let now = self.clock.now()
        guard abs(now - self.sweptAt) >= Self.sweepInterval else { return }
        self.sweptAt = now
        _ = try await self.integers([self.set.sweep(now: now)])
    }

    private func integers(_ commands: [[[UInt8]]]) async throws -> [Int64] {
        try await self.redis.send(commands, key: self.set.name).map { answer in
            switch try answer.get() {
            case .integer(let value): return value
            // The text of an error may repeat the command.
            case .error(let text): throw RedisRefusal(code: RedisReply.code(ofError: text))
            default: throw RedisRefusal(code: "an answer of another kind")
            }
        }
    }
}

/// Redis answered, but did not do it.
private struct RedisRefusal: Error, CustomStringConvertible {
    var code: String

    var description: String { "Redis refused: \(self.code)" }
}
