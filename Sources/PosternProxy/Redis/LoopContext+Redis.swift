import NIOCore
import PosternCore
import PosternRedis

// One event loop's connection to Redis, and on the first one what revocations are heard by.
extension LoopContext {
    /// Makes the Redis of a snapshot the one that is used; one that stays the same goes on as it is. Not before all event
    /// loops can be told what is heard there.
    func adoptRedis(_ snapshot: Snapshot) {
        let isSame =
            self.redis.map { tier in snapshot.redis.map(tier.setup.isSame) ?? false } ?? (snapshot.redis == nil)
        if !isSame {
            if let redis {
                redis.client.stop()
                self.metrics.redis.add(redis.counts)
            }
            let tier = snapshot.redis.map { self.connect($0) }
            self.replaceRedis(tier)
        }
        guard self.index == 0 else { return }
        let isWanted = snapshot.issuers.contains(where: \.heedsRevocations)
        self.hearRevocations(isWanted ? self.redis : nil, restart: !isSame)
    }

    private func connect(_ setup: RedisSetup) -> RedisTier {
        let (status, index) = (self.services.redis, self.index)
        let client = RedisClient(eventLoop: self.eventLoop, settings: setup.settings) { [weak self] isUp, reason in
            status.changed(loop: index, isUp: isUp, reason: reason)
            if isUp { self?.redisIsUp() }
        }
        client.start()
        return RedisTier(setup, client: client) { status.rejected($0, $1) }
    }
}

extension RedisCounts {
    mutating func add(_ other: RedisCounts) {
        self.hits &+= other.hits
        self.misses &+= other.misses
        self.expired &+= other.expired
        self.rejected &+= other.rejected
        self.errors &+= other.errors
    }
}
