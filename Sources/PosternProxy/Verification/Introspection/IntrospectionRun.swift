import NIOCore
import PosternCore
import PosternCrypto
import PosternRedis

/// One flight on its event loop: carries out what `IntrospectionFlight` says, for all requests that wait for the token.
/// It keeps itself alive by what it waits for, its deadline at the latest.
final class IntrospectionRun {
    private let token: [UInt8]
    private let digest: TokenDigest
    private let endpoints: [IntrospectionEndpoint]
    private let loop: LoopContext
    /// What the flight is a part of, if that is recorded.
    private let trace: QuestionTrace?
    private let redis: RedisTier?
    private let bindings: EntryBindings
    /// What stands for this flight in the token's lock.
    private let holder: [UInt8]
    private var onEnd: ((IntrospectionVerdict) -> Void)?
    private var flight: IntrospectionFlight
    private var actions: [IntrospectionFlight.Action] = []
    private var isActing = false
    private var end: Scheduled<Void>?
    private var deadline = NIODeadline.distantFuture

    /// What an issuer said, now or, by Redis, earlier.
    private struct Said {
        var issuer: Int
        var claims: JSONValue
        var fetchedAt: Double
    }
    private var said: Said?
    /// What may serve if nobody can be asked.
    private var stale: Said?
    /// When all issuers said that the token is not active.
    private var deniedAt: Double?
    /// Who said so, by index.
    private var denied: [Int] = []
    /// Whether Redis has a verdict that an issuer has just taken back.
    private var isEntryWrong = false

    init(
        _ token: [UInt8], digest: TokenDigest, endpoints: [IntrospectionEndpoint], loop: LoopContext,
        trace: QuestionTrace? = nil, onEnd: @escaping (IntrospectionVerdict) -> Void
    ) {
        self.token = token
        self.digest = digest
        self.endpoints = endpoints
        self.loop = loop
        self.trace = trace
        self.redis = loop.redis
        self.bindings = EntryBindings(endpoints.map(\.issuer))
        self.holder = Array("\(UInt64.random(in: 0 ... .max))".utf8)
        self.onEnd = onEnd
        let timeout = endpoints.map(\.settings.timeout).max() ?? 0
        self.flight = IntrospectionFlight(
            settings: .init(
                issuers: Array(endpoints.indices), usesRedis: loop.redis?.client.isUp ?? false, timeout: timeout,
                // A holder that died is not waited for to the end: there must be time to ask.
                patience: timeout / 4 * 3))
    }

    func start() {
        self.act(self.flight.start(now: self.now))
    }

    private var now: Int64 { Int64(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds) }

    // MARK: - Actions

    /// Carries out actions in order. What one of them leads to at once comes after those before it.
    private func act(_ actions: [IntrospectionFlight.Action]) {
        self.actions += actions
        guard !self.isActing else { return }
        self.isActing = true
        while !self.actions.isEmpty { self.perform(self.actions.removeFirst()) }
        self.isActing = false
    }

    private func perform(_ action: IntrospectionFlight.Action) {
        switch action {
        case .deadlineAt(let time):
            self.deadline = .uptimeNanoseconds(UInt64(max(0, time)))
            self.end = self.schedule(time) { self.act(self.flight.deadline(now: self.now)) }
        case .get:
            self.read()
        case .lock(let milliseconds):
            guard let redis else { return self.act(self.flight.lockAnswered(.unavailable, now: self.now)) }
            redis.lock(self.digest, holder: self.holder, milliseconds: milliseconds) {
                self.act(self.flight.lockAnswered($0, now: self.now))
            }
        case .ask(let issuer):
            self.ask(issuer)
        case .wakeAt(let time):
            _ = self.schedule(time) { self.act(self.flight.wake(now: self.now)) }
        case .storeActive(let issuer):
            self.storeActive(issuer)
        case .storeNegative:
            self.storeNegative()
        case .unlock:
            self.redis?.unlock(self.digest, holder: self.holder)
        case .finish(let outcome):
            self.finish(outcome)
        }
    }

    private func schedule(_ time: Int64, _ task: @escaping () -> Void) -> Scheduled<Void> {
        self.loop.eventLoop.assumeIsolated().scheduleTask(
            deadline: .uptimeNanoseconds(UInt64(max(0, time))), task)
    }

    // MARK: - Redis

    private func read() {
        guard let redis else { return self.act(self.flight.entry(.unavailable, now: self.now)) }
        redis.read(self.digest, self.bindings) { found in
            self.act(self.flight.entry(self.judge(found, redis), now: self.now))
        }
    }

    /// Seconds by which the clock of the pod that asked may be ahead.
    private static let tolerance: Double = 5

    /// Whether an entry counts, by its age.
    private func judge(_ found: RedisTier.Found, _ redis: RedisTier) -> IntrospectionFlight.Entry {
        switch found {
        case .entry(.active(let claims, let fetchedAt), let issuer):
            let settings = self.endpoints[issuer].settings
            let said = Said(issuer: issuer, claims: claims, fetchedAt: min(fetchedAt, SystemClock.unixTime))
            let age = self.age(of: fetchedAt)
            if age < 0 || age >= Double(settings.cache &+ settings.staleIfError) / 1e9 { return self.reject(redis) }
            if age < Double(settings.cache) / 1e9 {
                redis.noteHit()
                self.said = said
                return .active(issuer: issuer)
            }
            redis.noteExpired()
            self.stale = said
            return .none
        case .negative(let entry):
            let age = self.age(of: entry.fetchedAt)
            if age < 0 || age >= self.negativeCache { return self.reject(redis) }
            redis.noteHit()
            self.deniedAt = min(entry.fetchedAt, SystemClock.unixTime)
            return .negative
        case .none, .entry: return .none
        case .unavailable: return .unavailable
        }
    }

    /// Seconds since an answer; negative for one of the future.
    private func age(of fetchedAt: Double) -> Double {
        let age = SystemClock.unixTime - fetchedAt
        return age < 0 && age >= -Self.tolerance ? 0 : age
    }

    /// Redis forgets entries when their time is over: one that is older was put back by somebody.
    private func reject(_ redis: RedisTier) -> IntrospectionFlight.Entry {
        redis.reject(self.digest, .wrongAge)
        return .none
    }

    /// Seconds for which a negative answer holds.
    private var negativeCache: Double {
        Double(self.endpoints.map(\.settings.negativeCache).min() ?? 0) / 1e9
    }

    private func storeActive(_ issuer: Int) {
        guard let redis, let said, said.issuer == issuer else { return }
        let settings = self.endpoints[issuer].settings
        var seconds = Double(settings.cache &+ settings.staleIfError) / 1e9
        if let expiry = try? ClaimRules.date(said.claims["exp"]) { seconds = min(seconds, expiry - said.fetchedAt) }
        guard seconds >= 0.001 else { return }
        redis.store(
            .active(claims: said.claims, fetchedAt: said.fetchedAt), self.digest,
            binding: self.bindings.issuers[issuer], milliseconds: Int64(seconds * 1000))
    }

    private func storeNegative() {
        let seconds = self.negativeCache
        guard let redis else { return }
        // An entry that says yes must not outlive the no.
        guard seconds >= 0.001 else { return redis.forget(self.digest) }
        redis.store(
            .negative(fetchedAt: SystemClock.unixTime), self.digest, binding: self.bindings.negative,
            milliseconds: Int64(seconds * 1000))
    }

    // MARK: - The issuer

    private func ask(_ issuer: Int) {
        let own = NIODeadline.now() + .nanoseconds(self.endpoints[issuer].settings.timeout)
        let answer = self.endpoints[issuer].ask(
            self.token, on: self.loop.eventLoop, deadline: min(self.deadline, own), trace: self.trace)
        answer.assumeIsolated().whenSuccess { answer in
            let event: IntrospectionFlight.IssuerAnswer
            switch answer {
            case .active(let claims):
                self.said = Said(issuer: issuer, claims: claims, fetchedAt: SystemClock.unixTime)
                event = .active
            case .inactive:
                self.denied.append(issuer)
                if self.stale?.issuer == issuer {
                    self.stale = nil
                    self.isEntryWrong = true
                }
                event = .inactive
            case .failed: event = .failed
            }
            self.act(self.flight.answered(issuer: issuer, event, now: self.now))
        }
    }

    // MARK: - The end

    private func finish(_ outcome: IntrospectionFlight.Outcome) {
        self.end?.cancel()
        guard let onEnd = self.onEnd.take() else { return }
        onEnd(self.verdict(outcome))
    }

    private func verdict(_ outcome: IntrospectionFlight.Outcome) -> IntrospectionVerdict {
        switch outcome {
        case .active(_, let source):
            return self.said.map { self.verdict(on: $0, source == .redis ? .redis : .issuer) }
                ?? .unavailable(deniedBy: [])
        case .inactive(let source):
            let deniedAt = self.deniedAt ?? SystemClock.unixTime
            return .rejected(
                .inactive, until: deniedAt + self.negativeCache, source: source == .redis ? .redis : .issuer)
        case .unavailable:
            if self.isEntryWrong { self.redis?.forget(self.digest) }
            return self.stale.map { self.verdict(on: $0, .redis) }
                ?? .unavailable(deniedBy: self.denied.map { self.endpoints[$0].issuer.rules.name })
        }
    }

    private func verdict(on said: Said, _ source: VerifiedToken.Source) -> IntrospectionVerdict {
        self.endpoints[said.issuer].issuer.verdict(
            on: said.claims, fetchedAt: said.fetchedAt, source: source, token: self.token,
            now: SystemClock.unixTime)
    }
}
