import NIOCore
import PosternCore
import PosternRedis

/// Hears of revocations, for the whole process and on one event loop: subscribes, then loads the set, at every connect, and
/// tells all event loops. Nothing published meanwhile is missed: what comes during a load outlives it, and while the
/// subscription is down the last known set holds.
final class RevocationFeed {
    /// How long revocations may be unheard of before issuers with `revocation: required` have their tokens refused.
    static let patience = TimeAmount.seconds(5)
    /// How often what may be forgotten is, and how many times until the set is loaded anew although nothing is wrong: what
    /// was published does not say how long it is to be kept.
    private static let sweepInterval = TimeAmount.seconds(10)
    private static let sweepsToLoad = 6
    private static let retryInterval = TimeAmount.milliseconds(200)
    /// Members that Redis is asked for at once.
    private static let page = "1000"

    private let eventLoop: any EventLoop
    private let redis: RedisTier
    private let services: ProxyServices
    private let patience: TimeAmount
    private var subscription: RedisSubscription?
    private var set = RevocationSet()
    private var isSubscribed = false
    /// Counts loads: an answer to one that was given up is not for the next.
    private var load = 0
    private var sweeps = 0
    private var next: Scheduled<Void>?
    private var outOfPatience: Scheduled<Void>?

    /// - Parameter patience: how long revocations may be unheard of.
    init(
        eventLoop: any EventLoop, redis: RedisTier, services: ProxyServices,
        patience: TimeAmount = RevocationFeed.patience
    ) {
        self.eventLoop = eventLoop
        self.redis = redis
        self.services = services
        self.patience = patience
    }

    func start() {
        self.services.revocations.started()
        let subscription = RedisSubscription(
            eventLoop: self.eventLoop, settings: self.redis.setup.settings, channel: self.redis.setup.revocationsKey
        ) { [weak self] in self?.happened($0) }
        self.subscription = subscription
        subscription.start()
    }

    /// Hears of nothing any more. What the event loops know stays.
    func stop() {
        self.subscription?.stop()
        self.subscription = nil
        self.next?.cancel()
        self.outOfPatience?.cancel()
        self.isSubscribed = false
        self.load += 1
        self.services.revocations.stopped()
        self.services.loops.tell { $0.intake.withdraw { $0.setKnown(false) } }
    }

    private func happened(_ event: RedisSubscription.Event) {
        switch event {
        case .subscribed:
            self.isSubscribed = true
            self.beginLoad()
        case .message(let message):
            self.published(message)
        case .down(let reason):
            self.isSubscribed = false
            self.load += 1
            self.services.revocations.lost(reason: reason)
            self.scheduleSweep()
            self.outOfPatience?.cancel()
            self.outOfPatience = self.schedule(self.patience) {
                self.services.loops.tell { $0.intake.withdraw { $0.setKnown(false) } }
            }
        }
    }

    private func published(_ message: [UInt8]) {
        guard let revocation = Revocation(json: message) else { return self.services.revocations.foundMalformed() }
        self.set.insert(revocation, until: .infinity)
        self.services.loops.tell { $0.intake.withdraw { $0.insert(revocation, until: .infinity) } }
    }

    // MARK: - Loading

    private func beginLoad() {
        self.load += 1
        self.set.beginLoad()
        self.scan(from: Array("0".utf8), [], load: self.load)
    }

    /// One page after the other. ZSCAN gives every member that is there from the beginning to the end, whatever is added or
    /// removed meanwhile; what is added comes as a message.
    private func scan(from cursor: [UInt8], _ found: [(Revocation, until: Double)], load: Int) {
        let key = self.redis.setup.revocationsKey
        let command = [Array("ZSCAN".utf8), key, cursor, Array("COUNT".utf8), Array(Self.page.utf8)]
        self.redis.client.send(command, key: key) { [weak self] result in
            guard let self, load == self.load else { return }
            guard case .success(.array(let parts)) = result, parts.count == 2, case .string(let next) = parts[0],
                case .array(let members) = parts[1]
            else {
                // Not up yet, or not any more: the subscription alone is not enough.
                return self.scheduleLoad(Self.retryInterval)
            }
            let found = found + self.read(members)
            if next == Array("0".utf8) { self.loaded(found) } else { self.scan(from: next, found, load: load) }
        }
    }

    /// Members and scores in turn; those whose time is over do not count.
    private func read(_ members: [RedisReply]) -> [(Revocation, until: Double)] {
        let now = SystemClock.unixTime
        var found: [(Revocation, until: Double)] = []
        for index in stride(from: 0, to: members.count - 1, by: 2) {
            guard case .string(let member) = members[index], case .string(let score) = members[index + 1],
                let until = Double(String(decoding: score, as: UTF8.self)), let revocation = Revocation(json: member)
            else {
                self.services.revocations.foundMalformed()
                continue
            }
            if until > now { found.append((revocation, until: until)) }
        }
        return found
    }

    private func loaded(_ found: [(Revocation, until: Double)]) {
        self.set.replace(with: found)
        self.outOfPatience?.cancel()
        let set = self.set
        self.services.loops.tell { loop in
            loop.intake.withdraw { withdrawals in
                withdrawals.replace(with: set)
                withdrawals.setKnown(true)
            }
        }
        self.services.revocations.loaded(count: set.count)
        self.sweeps = 0
        self.scheduleSweep()
    }

    private func scheduleLoad(_ delay: TimeAmount) {
        self.next?.cancel()
        self.next = self.schedule(delay) { self.beginLoad() }
    }

    private func scheduleSweep() {
        self.next?.cancel()
        self.next = self.schedule(Self.sweepInterval) { self.sweep() }
    }

    private func sweep() {
        self.sweeps += 1
        if self.isSubscribed, self.sweeps >= Self.sweepsToLoad { return self.beginLoad() }
        let now = SystemClock.unixTime
        self.set.removeExpired(now: now)
        self.services.loops.tell { $0.intake.withdraw { $0.removeExpired(now: now) } }
        self.scheduleSweep()
    }

    private func schedule(_ delay: TimeAmount, _ task: @escaping () -> Void) -> Scheduled<Void> {
        self.eventLoop.assumeIsolated().scheduleTask(in: delay, task)
    }
}
