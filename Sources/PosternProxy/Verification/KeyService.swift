import AsyncHTTPClient
import Logging
import NIOCore
import PosternCore
import PosternCrypto

/// Keeps the fetched keys of all issuers fresh: runs one `KeySetMachine` an issuer, fetches in the background, and hands
/// every new key set to each event loop. Not on the path of a request; a request comes here only with a `kid` that nobody
/// knows, or while there are no keys.
actor KeyService {
    /// What is known of one issuer's keys, for readiness and metrics.
    struct Status: Sendable {
        var issuer: String
        var hasKeys: Bool
        /// Nanoseconds since the keys came.
        var age: Int64?
        var successes: UInt64
        var failures: UInt64
        /// Fetches that failed since the last that did not.
        var failuresInARow = 0
    }

    private struct Entry {
        var machine: KeySetMachine
        var remote: Configuration.RemoteKeys
        var client: HTTPClient
        var fetched: KeySet<PublicKey>?
        var documents: [JWK] = []
        /// Whether the newest fetch lacks a key that an older one had.
        var lostKeys = false
        var fetch: Task<Void, Never>?
        var wake: Task<Void, Never>?
        var waiters: [@Sendable () -> Void] = []
        var successes: UInt64 = 0
        var failures: UInt64 = 0
    }

    private var entries: [KeysIdentity: Entry] = [:]
    private var order: [KeysIdentity] = []
    private let group: any EventLoopGroup
    private let logger: Logger
    /// Hands a key set to every event loop.
    private let publish: @Sendable (Publication) -> Void

    /// A key set on its way to the event loops.
    struct Publication: Sendable {
        var identity: KeysIdentity
        var keys: KeySet<PublicKey>
        /// Whether a key was withdrawn by the issuer, so that tokens signed with it do not count any more.
        var lostKeys: Bool
    }

    init(
        group: any EventLoopGroup, logger: Logger,
        publish: @escaping @Sendable (Publication) -> Void
    ) {
        self.group = group
        self.logger = logger
        self.publish = publish
    }

    // MARK: - Life

    /// Makes the issuers of a snapshot the ones whose keys are kept: new ones are fetched, others go on as they are.
    func adopt(_ snapshot: Snapshot) {
        let now = Self.now
        var wanted: [KeysIdentity] = []
        for issuer in snapshot.issuers {
            guard case .keys(.remote(let remote)) = issuer.validation, let client = issuer.client else { continue }
            let identity = issuer.keysIdentity
            wanted.append(identity)
            if let entry = self.entries[identity] {
                if let keys = entry.fetched {
                    self.publish(Publication(identity: identity, keys: keys, lostKeys: false))
                }
                continue
            }
            let settings = KeySetMachine.Settings(
                refresh: remote.refresh, timeout: remote.timeout, maximumStale: remote.maxStale)
            self.entries[identity] = Entry(
                machine: KeySetMachine(settings: settings), remote: remote, client: self.makeClient(client))
            self.run(identity) { $0.start(now: now) }
        }
        for identity in self.order where !wanted.contains(identity) { self.remove(identity) }
        self.order = wanted
    }

    /// Ends all fetches.
    func stop() {
        for identity in self.order { self.remove(identity) }
        self.order = []
    }

    private func remove(_ identity: KeysIdentity) {
        guard var entry = self.entries.removeValue(forKey: identity) else { return }
        // A fetch that nobody wants any more did not fail: it is not counted, nor logged.
        _ = entry.machine.stop()
        entry.fetch?.cancel()
        entry.wake?.cancel()
        for resume in entry.waiters { resume() }
        let client = entry.client
        Task { try? await client.shutdown() }
    }

    private func makeClient(_ configuration: HTTPClient.Configuration) -> HTTPClient {
        HTTPClient(eventLoopGroupProvider: .shared(self.group), configuration: configuration)
    }

    // MARK: - Requests

    /// A request has no key for its token.
    ///
    /// - Parameters:
    ///   - keyID: the `kid` that no key has; nil where there are no keys at all.
    ///   - resume: called on `eventLoop` when the keys may have changed, or at once if they will not.
    nonisolated func refetch(
        issuer: KeysIdentity, keyID: String?, eventLoop: any EventLoop, resume: @escaping @Sendable () -> Void
    ) {
        Task {
            await self.wait(issuer, keyID: keyID) { eventLoop.execute(resume) }
        }
    }

    /// `refetch` in turn with everything else here. When this returns, `resume` was called, or is waiting.
    func wait(_ identity: KeysIdentity, keyID: String?, resume: @escaping @Sendable () -> Void) {
        guard let entry = self.entries[identity] else { return resume() }
        if let keyID, entry.fetched?.names(keyID: keyID) == true { return resume() }
        var answer = KeySetMachine.Answer.refuse
        if keyID == nil {
            if entry.fetched != nil { return resume() }
            answer = entry.machine.keysMissing(now: Self.now)
        } else {
            self.run(identity) { machine in
                let (given, actions) = machine.unknownKey(now: Self.now)
                answer = given
                return actions
            }
        }
        guard case .wait = answer else { return resume() }
        self.entries[identity]?.waiters.append(resume)
    }

    // MARK: - Status

    func status() -> [Status] {
        let now = Self.now
        return self.order.compactMap { identity in
            self.entries[identity].map { entry in
                Status(
                    issuer: identity.name, hasKeys: entry.machine.hasKeys, age: entry.machine.keyAge(now: now),
                    successes: entry.successes, failures: entry.failures, failuresInARow: entry.machine.failures)
            }
        }
    }

    // MARK: - The machine

    private static var now: Int64 { Int64(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds) }

    private func run(_ identity: KeysIdentity, _ event: (inout KeySetMachine) -> [KeySetMachine.Action]) {
        guard var machine = self.entries[identity]?.machine else { return }
        let actions = event(&machine)
        self.entries[identity]?.machine = machine
        for action in actions { self.perform(action, identity) }
    }

    private func perform(_ action: KeySetMachine.Action, _ identity: KeysIdentity) {
        switch action {
        case .fetch(let id, let deadline):
            self.fetch(identity, id: id, deadline: deadline)
        case .cancelFetch:
            self.entries[identity]?.fetch?.cancel()
            self.noteFailure(identity, "the fetch took too long")
        case .publish:
            guard let entry = self.entries[identity], let keys = entry.fetched else { return }
            self.publish(Publication(identity: identity, keys: keys, lostKeys: entry.lostKeys))
        case .withdraw:
            self.entries[identity]?.fetched = nil
            self.publish(Publication(identity: identity, keys: KeySet(), lostKeys: false))
            self.logger.error("keys are too old and are not used any more", metadata: ["issuer": "\(identity.name)"])
        case .resumeWaiters:
            let waiters = self.entries[identity]?.waiters ?? []
            self.entries[identity]?.waiters = []
            for resume in waiters { resume() }
        case .wake(let time):
            self.scheduleWake(identity, at: time)
        }
    }

    private func scheduleWake(_ identity: KeysIdentity, at time: Int64) {
        self.entries[identity]?.wake?.cancel()
        let delay = max(0, time - Self.now)
        self.entries[identity]?.wake = Task {
            guard (try? await Task.sleep(for: .nanoseconds(delay))) != nil else { return }
            self.run(identity) { $0.wake(now: Self.now, random: Double.random(in: 0..<1)) }
        }
    }

    private func fetch(_ identity: KeysIdentity, id: Int, deadline: Int64) {
        guard let entry = self.entries[identity] else { return }
        let fetcher = KeyFetcher(client: entry.client)
        let remote = entry.remote
        self.entries[identity]?.fetch = Task {
            do {
                let fetched = try await fetcher.fetch(remote, timeout: max(1, deadline - Self.now))
                self.fetchEnded(identity, id: id, .success(fetched))
            } catch {
                self.fetchEnded(identity, id: id, .failure(error))
            }
        }
    }

    private func fetchEnded(_ identity: KeysIdentity, id: Int, _ result: Result<KeyFetcher.Fetched, any Error>) {
        // This is the fetch's own task. The machine has given a cancelled one up: keys that it never published must not
        // count as known, its failure has been counted, and the issuer may have been removed and added again.
        guard !Task.isCancelled, self.entries[identity] != nil else { return }
        var outcome = KeySetMachine.FetchOutcome.failed
        switch result {
        case .success(let fetched):
            let known = self.entries[identity]?.documents ?? []
            self.entries[identity]?.lostKeys = known.contains { !fetched.documents.contains($0) }
            self.entries[identity]?.documents = fetched.documents
            self.entries[identity]?.fetched = fetched.keys
            self.entries[identity]?.successes += 1
            outcome = .keys(count: fetched.keys.keys.count, maximumAge: fetched.maximumAge)
            self.logger.info(
                "keys fetched", metadata: ["issuer": "\(identity.name)", "keys": "\(fetched.keys.keys.count)"])
            for reason in fetched.skipped {
                self.logger.warning(
                    "a key was left out", metadata: ["issuer": "\(identity.name)", "reason": "\(reason)"])
            }
        case .failure(let error):
            self.noteFailure(identity, String(describing: error))
        }
        ColdCode.releaseSoon()
        self.run(identity) {
            $0.fetchEnded(id: id, outcome, now: Self.now, random: Double.random(in: 0..<1))
        }
    }

    private func noteFailure(_ identity: KeysIdentity, _ reason: String) {
        self.entries[identity]?.failures += 1
        let kept = self.entries[identity]?.fetched != nil
        self.logger.warning(
            "keys could not be fetched",
            metadata: ["issuer": "\(identity.name)", "reason": "\(reason)", "old_keys_kept": "\(kept)"])
    }
}
