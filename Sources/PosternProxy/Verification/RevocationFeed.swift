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
    /// Between two attempts to load, doubled each time.
    private static let firstRetry = TimeAmount.milliseconds(200)
    private static let lastRetry = TimeAmount.seconds(3)
    /// Members that Redis is asked for at once: few enough that the longest ones fit into one reply.
    private static let page = "200"
    /// Seconds that a revocation holds beyond its time: a token counts until its expiry and the largest `leeway`.
    private static let grace: Double = 300

    private let eventLoop: any EventLoop
    private let redis: RedisTier
    private let services: ProxyServices
    private let patience: TimeAmount
    private var subscription: RedisSubscription?
    private var set = RevocationSet()
    private var isSubscribed = false
    /// Counts loads: an answer to one that was given up is not for the next.
    private var load = 0
    private var found: [(Revocation, until: Double)] = []
    private var retry = RevocationFeed.firstRetry
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

    /// - Parameter isSuccessor: another feed has just stopped: what it heard of counts as long as in an outage.
    func start(isSuccessor: Bool = false) {
        self.services.revocations.started()
        if isSuccessor { self.losePatience() }
        let subscription = RedisSubscription(
            eventLoop: self.eventLoop, settings: self.redis.setup.settings, channel: self.redis.setup.revocationsKey
        ) { [weak self] in self?.happened($0) }
        self.subscription = subscription
        subscription.start()
    }

    /// Hears of nothing any more. What the event loops know stays.
    ///
    /// - Parameter hasSuccessor: another feed starts now.
    func stop(hasSuccessor: Bool = false) {
        self.subscription?.stop()
        self.subscription = nil
        self.next?.cancel()
        self.outOfPatience?.cancel()
        self.outOfPatience = nil
        self.isSubscribed = false
        self.load += 1
        if hasSuccessor { return }
        self.services.revocations.stopped()
        self.services.loops.tell { $0.withdraw { $0.setKnown(false) } }
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
            self.losePatience()
        }
    }

    /// Redis can be asked again, perhaps another one than before: what it has is to be seen.
    func redisIsUp() {
        if self.isSubscribed { self.beginLoad() }
    }

    /// From now on patience runs out, unless it does already: nothing but a load restores it.
    private func losePatience() {
        guard self.outOfPatience == nil else { return }
        self.outOfPatience = self.schedule(self.patience) {
            self.services.loops.tell { $0.withdraw { $0.setKnown(false) } }
        }
    }

    private func published(_ message: [UInt8]) {
        guard let revocation = Revocation(json: message) else { return self.services.revocations.foundMalformed() }
        self.set.insert(revocation, until: .infinity)
        self.services.loops.tell { $0.withdraw { $0.insert(revocation, until: .infinity) } }
    }

    // MARK: - Loading

    private func beginLoad() {
        self.load += 1
        self.next?.cancel()
        self.set.beginLoad()
        self.found = []
        self.scan(from: Array("0".utf8), load: self.load)
    }

    /// One page after the other. ZSCAN gives every member that is there from the beginning to the end, whatever is added or
    /// removed meanwhile; what is added comes as a message.
    private func scan(from cursor: [UInt8], load: Int) {
        let key = self.redis.setup.revocationsKey
        let command = [Array("ZSCAN".utf8), key, cursor, Array("COUNT".utf8), Array(Self.page.utf8)]
        self.redis.client.send(command, key: key) { [weak self] result in
            guard let self, load == self.load else { return }
            guard case .success(.array(let parts)) = result, parts.count == 2, case .string(let next) = parts[0],
                case .array(let members) = parts[1]
            else { return self.loadFailed(result) }
            self.read(members)
            if next == Array("0".utf8) { self.loaded() } else { self.scan(from: next, load: load) }
        }
    }

    /// The subscription alone is not enough: tries again until there is a set.
    private func loadFailed(_ result: Result<RedisReply, RedisFailure>) {
        switch result {
        case .success(.error(let text)):
            self.services.revocations.notLoaded(reason: "ZSCAN was refused: \(RedisReply.code(ofError: text))")
        case .success:
            self.services.revocations.notLoaded(reason: "ZSCAN was answered strangely")
        case .failure(let failure):
            self.services.revocations.notLoaded(reason: "ZSCAN had no answer: \(failure)")
        }
        self.scheduleLoad(self.retry)
        self.retry = min(self.retry * 2, Self.lastRetry)
    }

    /// Members and scores in turn; those whose time is over do not count.
    private func read(_ members: [RedisReply]) {
        let now = SystemClock.unixTime - Self.grace
        for index in stride(from: 0, to: members.count - 1, by: 2) {
            guard case .string(let member) = members[index], case .string(let score) = members[index + 1],
                let until = Double(String(decoding: score, as: UTF8.self)), let revocation = Revocation(json: member)
            else {
                self.services.revocations.foundMalformed()
                continue
            }
            if until > now { self.found.append((revocation, until: until)) }
        }
    }

    private func loaded() {
        self.set.replace(with: self.found)
        self.found = []
        self.retry = Self.firstRetry
        self.outOfPatience?.cancel()
        self.outOfPatience = nil
        let set = self.set
        self.services.loops.tell { loop in
            loop.withdraw { withdrawals in
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
        let now = SystemClock.unixTime - Self.grace
        self.set.removeExpired(now: now)
        self.services.loops.tell { $0.withdraw { $0.removeExpired(now: now) } }
        self.scheduleSweep()
    }

    private func schedule(_ delay: TimeAmount, _ task: @escaping () -> Void) -> Scheduled<Void> {
        self.eventLoop.assumeIsolated().scheduleTask(in: delay, task)
    }
}
