import Logging
import PosternCore
import PosternCrypto
import PosternRedis
import Synchronization

/// Counts in Redis, so that all replicas count together; in process while Redis cannot be used, and then each process
/// begins with nothing. Whoever waits for Redis waits at most as long as `RedisPort` does for an answer.
///
/// The names of keys are MACs: who reads Redis learns nobody's name or address.
final class RedisRateLimiter: RateLimiting {
    private enum Trouble: Error {
        case away(RedisFailure)
        /// With the code of Redis' error; its text may repeat the command.
        case refused(String)
        case strange
    }

    private struct Answer {
        /// Whole seconds; nil: it may go on.
        var wait: Int?
    }

    private let redis: RedisPort
    private let prefix: String
    private let secret: HMACKey
    private let metrics: IssuerMetrics
    private let logger: Logger
    private let inProcess = RateLimiter()
    private let away = Mutex(false)

    /// - Parameters:
    ///   - prefix: What the names of its keys begin with.
    ///   - secret: Under which they are made of what is counted.
    ///   - metrics: Counts what this process had to decide alone.
    init(redis: RedisPort, prefix: String, secret: [UInt8], metrics: IssuerMetrics = IssuerMetrics(), logger: Logger) {
        self.redis = redis
        self.prefix = prefix
        self.secret = HMACKey(secret)
        self.metrics = metrics
        self.logger = logger
    }

    /// Whether each process counts for itself at the moment.
    var isAway: Bool { self.away.withLock { $0 } }

    func take(_ key: String, windows: [RateWindow], now: Double) async -> Int? {
        guard let answer = await self.look(key, windows, now: now, counts: true) else {
            return self.inProcess.take(key, windows: windows, now: now)
        }
        return answer.wait
    }

    func wait(for key: String, windows: [RateWindow], now: Double) async -> Int? {
        guard let answer = await self.look(key, windows, now: now, counts: false) else {
            return self.inProcess.wait(for: key, windows: windows, now: now)
        }
        return answer.wait
    }

    /// The name of the key in Redis. What is in braces decides the node in a cluster.
    func name(of key: String) -> String {
        let code = self.secret.code(Array(key.utf8))
        return "\(self.prefix){\(Base64URL.encode(Array(code.prefix(16))))}"
    }

    /// What Redis says; nil: it cannot be used.
    private func look(_ key: String, _ windows: [RateWindow], now: Double, counts: Bool) async -> Answer? {
        let name = Array(self.name(of: key).utf8)
        let script = RateLimitScript(key: name, windows: windows, now: now, counts: counts)
        do throws(Trouble) {
            let milliseconds = try await self.run(script, key: name)
            self.change(isAway: false, nil)
            return Answer(wait: milliseconds > 0 ? Int((milliseconds + 999) / 1000) : nil)
        } catch {
            self.metrics.limiterFellBack()
            self.change(isAway: true, error)
            return nil
        }
    }

    private func run(_ script: RateLimitScript, key: [UInt8]) async throws(Trouble) -> Int64 {
        do throws(Trouble) {
            return try await self.send(script.short, key: key)
        } catch .refused("NOSCRIPT") {
            return try await self.send(script.whole, key: key)
        }
    }

    private func send(_ command: [[UInt8]], key: [UInt8]) async throws(Trouble) -> Int64 {
        switch await self.redis.send([command], key: key).first {
        case .success(.integer(let milliseconds)) where (0...Int64(Int32.max)).contains(milliseconds):
            return milliseconds
        case .success(.error(let text)): throw .refused(RedisReply.code(ofError: text))
        case .failure(let failure): throw .away(failure)
        default: throw .strange
        }
    }

    /// One line when it goes, and one when it is back.
    private func change(isAway: Bool, _ trouble: Trouble?) {
        let isNew = self.away.withLock { away in
            defer { away = isAway }
            return away != isAway
        }
        guard isNew else { return }
        guard let trouble else {
            self.logger.info("rates are limited by all processes together again")
            return
        }
        let reason =
            switch trouble {
            case .away(let failure): "\(failure)"
            case .refused(let code): "Redis refused: \(code)"
            case .strange: "Redis gave an answer of another kind"
            }
        self.logger.warning(
            "Redis cannot be used to limit rates: each process counts for itself", metadata: ["reason": "\(reason)"])
    }
}
