import NIOCore
import PosternCore
import PosternCrypto

/// Everything that belongs to one event loop: what its connections read on the path of a request is here, and no other
/// thread touches it. Nothing in it is shared but immutable snapshots, keys and the log sink.
final class LoopContext {
    let eventLoop: any EventLoop
    let services: ProxyServices
    /// The policy in force for new requests.
    private(set) var snapshot: Snapshot
    var cache: TokenCache<VerifiedToken>
    var identifiers: Identifiers
    // Values that are reused from request to request, so that reading one allocates nothing. Each is a property of its
    // own: two of them may be changed at once.
    var scanner = HeadScanner()
    var responseScanner = HeadScanner(skipsEmptyLine: false)
    var head = RequestHead()
    var response = ResponseHead()
    var target = CheckedTarget(path: .none)
    var captures = Captures()
    var output: [UInt8] = []
    var metrics = LoopMetrics()
    var accessLog: AccessLogBuffer
    /// By upstream index of the snapshot.
    private(set) var pools: [LoopPool] = []
    /// By issuer index of the snapshot; empty sets have not been had.
    var keys: [KeySet<PublicKey>]

    private var wheel: DeadlineWheel
    private var owners: [LoopConnection?] = []
    private var due: [DeadlineWheel.Entry] = []
    private var wakeAt: Int64 = .max
    private var wake: Scheduled<Void>?
    private var flushList: [LoopConnection] = []
    /// Connections that clients opened.
    private(set) var downstreams: [ObjectIdentifier: DownstreamHandler] = [:]

    init(eventLoop: any EventLoop, services: ProxyServices, snapshot: Snapshot) {
        self.eventLoop = eventLoop
        self.services = services
        self.snapshot = snapshot
        var generator = SystemRandomNumberGenerator()
        self.cache = TokenCache(seed: (generator.next(), generator.next()))
        self.identifiers = Identifiers(random: IdentifierSource(seed: generator.next(), generator.next()))
        self.keys = snapshot.issuers.map { $0.fixedKeys ?? KeySet() }
        self.wheel = DeadlineWheel(now: Int64(NIODeadline.now().uptimeNanoseconds))
        self.accessLog = AccessLogBuffer(sink: services.sink)
        self.pools = snapshot.upstreams.map { LoopPool($0, loop: self) }
    }

    // MARK: - Time

    /// Nanoseconds of the monotonic clock.
    var now: Int64 { Int64(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds) }

    /// Unix seconds.
    var wallTime: Double { SystemClock.unixTime }

    func addTimed(_ connection: LoopConnection) -> DeadlineWheel.Entry {
        let entry = self.wheel.add()
        while self.owners.count <= Int(entry) { self.owners.append(nil) }
        self.owners[Int(entry)] = connection
        return entry
    }

    func removeTimed(_ entry: DeadlineWheel.Entry) {
        self.wheel.remove(entry)
        self.owners[Int(entry)] = nil
    }

    /// Sets when `entry`'s owner is told that its time is over; `Int64.max`: never.
    func setDeadline(_ entry: DeadlineWheel.Entry, _ deadline: Int64) {
        if self.wheel.set(entry, deadline) { self.scheduleWake() }
    }

    private func scheduleWake() {
        guard let next = self.wheel.nextWake else { return }
        guard next < self.wakeAt else { return }
        self.wake?.cancel()
        self.wakeAt = next
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.wake = self.eventLoop.assumeIsolated().scheduleTask(
            deadline: .uptimeNanoseconds(UInt64(max(0, next)))
        ) { bound.value.expire() }
    }

    private func expire() {
        self.wake = nil
        self.wakeAt = .max
        let now = self.now
        self.due.removeAll(keepingCapacity: true)
        self.wheel.expire(now: now, into: &self.due)
        for entry in self.due { self.owners[Int(entry)]?.deadlinePassed(now: now) }
        self.flush()
        self.scheduleWake()
    }

    // MARK: - One flush per turn

    /// Remembers that `target` has written something; it is flushed when this turn of the loop ends.
    func needsFlush(_ target: LoopConnection) {
        self.flushList.append(target)
    }

    /// Flushes what was written during this turn.
    func flush() {
        while !self.flushList.isEmpty {
            let list = self.flushList
            self.flushList.removeAll(keepingCapacity: true)
            for target in list { target.flushNow() }
        }
    }

    // MARK: - Connections

    func add(_ connection: DownstreamHandler) {
        self.downstreams[ObjectIdentifier(connection)] = connection
        self.metrics.downstreamConnections += 1
    }

    func remove(_ connection: DownstreamHandler) {
        if self.downstreams.removeValue(forKey: ObjectIdentifier(connection)) != nil {
            self.metrics.downstreamConnections -= 1
            self.services.connectionClosed()
        }
    }

    // MARK: - Counting

    func countDecision(route: Int, _ decision: Int) {
        self.metrics.decisions.increment(LoopMetrics.decisionKey(route: route, decision: decision))
    }

    /// Adds a line to the access log; a batch that begins is handed over a moment later.
    func log(_ line: AccessLogBuffer.Line, _ texts: ExchangeTexts) {
        guard self.accessLog.append(line, requestID: texts.requestID, traceID: texts.traceID) else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(AccessLogBuffer.delay)) {
            bound.value.accessLog.handOver()
        }
    }

    // MARK: - Reload and drain

    /// Puts a new snapshot in force for the requests that come after this.
    func adopt(_ snapshot: Snapshot) {
        let old = self.snapshot
        let sameIssuers = old.issuers == snapshot.issuers
        if !sameIssuers || old.configuration.identity != snapshot.configuration.identity { self.cache.removeAll() }
        var known: [KeysIdentity: KeySet<PublicKey>] = [:]
        for (issuer, keys) in zip(old.issuers, self.keys) { known[issuer.keysIdentity] = keys }
        self.keys = snapshot.issuers.map { known[$0.keysIdentity] ?? $0.fixedKeys ?? KeySet() }
        var pools = self.pools
        self.snapshot = snapshot
        self.pools = snapshot.upstreams.map { upstream in
            if let index = pools.firstIndex(where: { $0.upstream == upstream }) { return pools.remove(at: index) }
            return LoopPool(upstream, loop: self)
        }
        for pool in pools { pool.drain() }
    }

    /// Puts an issuer's keys in force; tokens that waited for them are told by the key service afterwards.
    func setKeys(_ publication: KeyService.Publication) {
        for (index, issuer) in self.snapshot.issuers.enumerated()
        where issuer.keysIdentity == publication.identity {
            self.keys[index] = publication.keys
        }
        guard publication.lostKeys else { return }
        let name = publication.identity.name
        self.cache.removeAll { $0.principal.issuer == name }
    }

    /// A copy of the counters, with the gauges read now.
    func currentMetrics() -> LoopMetrics {
        var metrics = self.metrics
        metrics.cachedTokens = self.cache.count
        metrics.poolWaiting = self.pools.reduce(0) { $0 + $1.machine.waitingCount }
        return metrics
    }

    /// Ends idle connections, and every other one after its current exchange.
    func drain() {
        for connection in self.downstreams.values { connection.drain() }
        self.flush()
    }

    /// Closes what is still open.
    func closeAll() {
        for connection in self.downstreams.values { connection.closeNow() }
        for pool in self.pools { pool.drain() }
        self.wake?.cancel()
    }
}

/// A connection that has a deadline and is flushed once a turn: the two kinds of handlers. A base class, not a protocol, so
/// that lists of them hold plain references.
class LoopConnection {
    /// The connection's deadline is over.
    func deadlinePassed(now: Int64) {}
    /// Writes out what was written during this turn of the loop.
    func flushNow() {}
}
