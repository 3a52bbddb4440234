import NIOCore
import PosternCore
import PosternCrypto
import PosternRedis

/// Everything that belongs to one event loop: what its connections read on the path of a request is here, and no other
/// thread touches it. Nothing in it is shared but immutable snapshots, keys and the log sink.
final class LoopContext {
    let eventLoop: any EventLoop
    let services: ProxyServices
    /// Which of the event loops this is.
    let index: Int
    /// The policy in force for new requests.
    private(set) var snapshot: Snapshot
    /// What new requests are recorded with; nil: none is.
    private(set) var tracer: SpanTracer?
    /// Where requests are read and judged.
    var intake: Intake
    /// Where responses are read.
    var responses = ResponseIntake()
    var metrics = LoopMetrics()
    var accessLog: AccessLogBuffer
    /// By upstream index of the snapshot.
    private(set) var pools: [LoopPool] = []
    /// The shared cache; nil where none is configured.
    private(set) var redis: RedisTier?
    /// What revocations are heard by: for all event loops, on the first.
    private var revocations: RevocationFeed?
    /// By issuer index of the snapshot; empty sets have not been had.
    var keys: [KeySet<PublicKey>]

    private var wheel: DeadlineWheel
    private var owners: [LoopConnection?] = []
    private var due: [DeadlineWheel.Entry] = []
    private var wakeAt: Int64 = .max
    private var wake: Scheduled<Void>?
    private var flushList: [LoopConnection] = []
    private var spareList: [LoopConnection] = []
    /// Those of them that a read has left for the end of the turn.
    private var waitingList: [LoopConnection] = []
    private var spareBuffers: [[UInt8]] = []
    /// The time of this turn; zero between turns, and until somebody asks.
    private var turnTime: Int64 = 0
    private var turnWallTime: Double = 0
    private var turnEnd: @Sendable () -> Void = {}
    /// Whether the end of this turn is among the loop's tasks.
    private var turnEndsByTask = false
    /// Whether a connection deals with what it has read.
    private(set) var isReading = false
    /// Whether something was written in this read that need not wait for the end of the turn.
    private var isUrgent = false
    /// Connections that clients opened.
    private(set) var downstreams: [ObjectIdentifier: DownstreamHandler] = [:]
    /// Connections of clients that speak HTTP/2; their streams are among `downstreams`.
    private var sessions: [ObjectIdentifier: DownstreamSessionHandler] = [:]
    /// Where heads of HTTP/2 are read and made.
    private(set) lazy var streamHeads = DownstreamStreamHeads()
    /// Connections that have not said yet from whom they are.
    private var unnamed: [ObjectIdentifier: ProxyHeaderHandler] = [:]
    /// Those of them that are open tunnels.
    private var tunnels: [ObjectIdentifier: DownstreamHandler] = [:]
    private var looksThroughTunnels = false
    /// Whether the process is to end.
    private var isDraining = false

    init(eventLoop: any EventLoop, services: ProxyServices, snapshot: Snapshot, index: Int = 0) {
        self.eventLoop = eventLoop
        self.index = index
        self.services = services
        self.snapshot = snapshot
        self.tracer = services.tracing.tracer
        var generator = SystemRandomNumberGenerator()
        self.intake = Intake(
            identifierSeed: (generator.next(), generator.next()), cacheSeed: (generator.next(), generator.next()))
        self.keys = snapshot.issuers.map { $0.fixedKeys ?? KeySet() }
        self.wheel = DeadlineWheel(now: Int64(NIODeadline.now().uptimeNanoseconds))
        self.accessLog = AccessLogBuffer(sink: services.sink)
        self.pools = snapshot.upstreams.map { LoopPool($0, loop: self) }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        self.turnEnd = { bound.value.endTurn() }
    }

    // MARK: - Turns

    /// Nanoseconds of the monotonic clock, read once a turn: what one turn of the loop does happens at one time.
    var now: Int64 {
        if self.turnTime == 0 { self.beginTurn() }
        return self.turnTime
    }

    /// Unix seconds, read once a turn.
    var wallTime: Double {
        if self.turnWallTime == 0 {
            if self.turnTime == 0 { self.beginTurn() }
            self.turnWallTime = SystemClock.unixTime
        }
        return self.turnWallTime
    }

    /// After something that takes longer than a request usually does.
    func readClock() {
        self.turnTime = Self.monotonicTime
        self.turnWallTime = 0
    }

    private static var monotonicTime: Int64 { Int64(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds) }

    /// The first thing of a turn that needs the time, or writes. Reading for a lone request is a turn of its own, see `endRead`;
    /// any other ends when everything that the kernel had to say was dealt with: the loop runs its tasks after that.
    private func beginTurn() {
        self.turnTime = Self.monotonicTime
        if !self.isReading { self.endTurnByTask() }
    }

    private func endTurnByTask() {
        guard !self.turnEndsByTask else { return }
        self.turnEndsByTask = true
        self.eventLoop.execute(self.turnEnd)
    }

    private func endTurn() {
        var list = self.waitingList.takeAll()
        var late = self.flushList.takeAll()
        list.append(contentsOf: late)
        late.removeAll(keepingCapacity: true)
        self.waitingList = late
        while !list.isEmpty {
            self.flushList = self.spareList.takeAll()
            for connection in list { connection.flushNow() }
            list.removeAll(keepingCapacity: true)
            self.spareList = list
            list = self.flushList.takeAll()
        }
        self.flushList = list
        self.turnEndsByTask = false
        self.turnTime = 0
        self.turnWallTime = 0
        // A flush may have led to a read.
        if !self.waitingList.isEmpty { self.endTurnByTask() }
    }

    /// A connection has read something. Returns whether `endRead` must follow: false inside of another read.
    func beginRead() -> Bool {
        guard !self.isReading else { return false }
        self.isReading = true
        return true
    }

    /// What the connection has read was dealt with. What need not wait (`LoopConnection.waitsForTurn`) goes out before other
    /// connections are looked at, without the detour over a task, which is a good part of what a lone request waits for here.
    func endRead() {
        if self.isUrgent { self.flushUrgent() }
        self.isReading = false
        guard self.waitingList.isEmpty, self.flushList.isEmpty else { return self.endTurnByTask() }
        guard !self.turnEndsByTask else { return }
        self.turnTime = 0
        self.turnWallTime = 0
    }

    /// Something was written that need not wait for the end of the turn.
    func noteUrgent() {
        self.isUrgent = true
    }

    private func flushUrgent() {
        self.isUrgent = false
        while !self.flushList.isEmpty {
            var list = self.flushList.takeAll()
            let connection = list.removeLast()
            self.flushList = list
            if connection.waitsForTurn {
                var waiting = self.waitingList.takeAll()
                waiting.append(connection)
                self.waitingList = waiting
            } else {
                connection.flushNow()
            }
        }
    }

    /// Remembers that `connection` has written something; it is flushed when this turn of the loop ends.
    func needsFlush(_ connection: LoopConnection) {
        if self.turnTime == 0 { self.beginTurn() }
        var list = self.flushList.takeAll()
        list.append(connection)
        self.flushList = list
    }

    /// Tells `connection` in the next turn that what it had written is out.
    func drainedLater(_ connection: LoopConnection) {
        let bound = NIOLoopBound(connection, eventLoop: self.eventLoop)
        self.eventLoop.execute { bound.value.drained() }
    }

    // MARK: - Buffers

    /// An empty array to write to, with memory if there is some to spare.
    func takeBuffer() -> [UInt8] {
        var spare = self.spareBuffers.takeAll()
        let buffer = spare.popLast()
        self.spareBuffers = spare
        return buffer ?? []
    }

    /// Gives an array's memory to whoever writes next. Nobody else may hold the array.
    func giveBuffer(_ buffer: consuming [UInt8]) {
        guard buffer.capacity <= Self.spareSize else { return }
        var spare = self.spareBuffers.takeAll()
        if spare.count < Self.spareCount {
            buffer.removeAll(keepingCapacity: true)
            spare.append(buffer)
        }
        self.spareBuffers = spare
    }

    /// Bytes of a buffer, and number of buffers, that are kept: what one turn needs, and no memory that grows with the
    /// number of connections.
    private static let spareSize = 16 * 1024
    private static let spareCount = 128

    // MARK: - Redis

    func replaceRedis(_ tier: RedisTier?) {
        self.redis = tier
        if tier == nil { self.services.redis.forget(loop: self.index) }
    }

    /// Hears of revocations through this Redis; nil: of none.
    func hearRevocations(_ tier: RedisTier?, restart: Bool) {
        guard self.revocations == nil || tier == nil || restart else { return }
        let before = self.revocations
        before?.stop(hasSuccessor: tier != nil)
        self.revocations = tier.map { RevocationFeed(eventLoop: self.eventLoop, redis: $0, services: self.services) }
        self.revocations?.start(isSuccessor: before != nil)
    }

    /// This event loop's Redis can be asked again.
    func redisIsUp() {
        self.revocations?.redisIsUp()
    }

    // MARK: - Time

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

    /// Has the wheel look at `entry`'s owner at `time`.
    func watch(_ entry: DeadlineWheel.Entry, _ time: Int64) {
        if self.wheel.set(entry, time) { self.scheduleWake() }
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
        for entry in self.due { self.owners[Int(entry)]?.looked(now: now) }
        self.scheduleWake()
    }

    // MARK: - Connections

    /// Adds a connection, or a stream: streams are no connections of their own.
    func add(_ connection: DownstreamHandler) {
        self.downstreams[ObjectIdentifier(connection)] = connection
        if connection.stream == nil { self.metrics.downstreamConnections += 1 }
        if self.isDraining { connection.drain() }
    }

    func remove(_ connection: DownstreamHandler) {
        guard self.downstreams.removeValue(forKey: ObjectIdentifier(connection)) != nil, connection.stream == nil
        else { return }
        self.metrics.downstreamConnections -= 1
        if !connection.wasHandedOver { self.services.connectionClosed() }
    }

    func add(_ session: DownstreamSessionHandler) {
        self.sessions[ObjectIdentifier(session)] = session
        self.metrics.downstreamConnections += 1
        if self.isDraining { session.drain() }
    }

    func remove(_ session: DownstreamSessionHandler) {
        guard self.sessions.removeValue(forKey: ObjectIdentifier(session)) != nil else { return }
        self.metrics.downstreamConnections -= 1
        self.services.connectionClosed()
    }

    func add(_ connection: ProxyHeaderHandler) {
        self.unnamed[ObjectIdentifier(connection)] = connection
        if self.isDraining { connection.drain() }
    }

    /// - Parameter wasHandedOver: whether the connection goes on, as a client's.
    func remove(_ connection: ProxyHeaderHandler, wasHandedOver: Bool) {
        guard self.unnamed.removeValue(forKey: ObjectIdentifier(connection)) != nil, !wasHandedOver else { return }
        self.services.connectionClosed()
    }

    // MARK: - Tunnels

    func addTunnel(_ connection: DownstreamHandler, _ kind: ProtocolSwitch.Kind) {
        self.tunnels[ObjectIdentifier(connection)] = connection
        self.metrics.tunnels.opened(kind)
    }

    func removeTunnel(_ connection: DownstreamHandler, _ kind: ProtocolSwitch.Kind, _ end: Tunnel.End) {
        self.tunnels[ObjectIdentifier(connection)] = nil
        self.metrics.tunnels.ended(kind, end)
    }

    /// Changes what is known of revocations. Requests see it at once; tunnels are looked through a moment later, once for
    /// all that was published meanwhile.
    func withdraw(_ change: (inout Withdrawals) -> Void) {
        self.intake.withdraw(change)
        guard !self.tunnels.isEmpty, !self.looksThroughTunnels else { return }
        self.looksThroughTunnels = true
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.assumeIsolated().scheduleTask(in: Self.tunnelDelay) { bound.value.lookThroughTunnels() }
    }

    private func lookThroughTunnels() {
        self.looksThroughTunnels = false
        for connection in Array(self.tunnels.values) { connection.recheckTunnel() }
    }

    /// A fifth of the time in which a revocation is to be effective.
    private static let tunnelDelay = TimeAmount.milliseconds(20)

    // MARK: - Reload and drain

    /// Puts a new snapshot in force for the requests that come after this.
    func adopt(_ snapshot: Snapshot) {
        let old = self.snapshot
        let sameIssuers = old.issuers == snapshot.issuers
        if !sameIssuers || old.configuration.identity != snapshot.configuration.identity { self.intake.forgetTokens() }
        var known: [KeysIdentity: KeySet<PublicKey>] = [:]
        for (issuer, keys) in zip(old.issuers, self.keys) { known[issuer.keysIdentity] = keys }
        self.keys = snapshot.issuers.map { known[$0.keysIdentity] ?? $0.fixedKeys ?? KeySet() }
        var pools = self.pools
        self.snapshot = snapshot
        self.tracer = self.services.tracing.tracer
        self.pools = snapshot.upstreams.map { upstream in
            if let index = pools.firstIndex(where: { $0.upstream == upstream }) { return pools.remove(at: index) }
            return LoopPool(upstream, loop: self)
        }
        for pool in pools { pool.drain() }
        for connection in self.downstreams.values { connection.adopt(snapshot) }
        self.adoptRedis(snapshot)
    }

    /// Puts an issuer's keys in force; tokens that waited for them are told by the key service afterwards.
    func setKeys(_ publication: KeyService.Publication) {
        for (index, issuer) in self.snapshot.issuers.enumerated()
        where issuer.keysIdentity == publication.identity {
            self.keys[index] = publication.keys
        }
        guard publication.lostKeys else { return }
        let name = publication.identity.name
        self.intake.forgetTokens { $0.principal.issuer == name }
    }

    /// Ends every connection after its current exchange, and those that are idle after one more request or a moment.
    func drain() {
        self.isDraining = true
        for connection in self.unnamed.values { connection.drain() }
        for session in self.sessions.values { session.drain() }
        for connection in self.downstreams.values { connection.drain() }
    }

    /// How long the next request of an idle connection is waited for while the process is to end, in nanoseconds. A client that
    /// has just had an answer may have sent it already; it gets its answer, with the word that the connection closes.
    var drainPatience: Int64 { min(1_000_000_000, self.snapshot.timeouts.drain / 2) }

    /// Closes what is still open.
    func closeAll() {
        for connection in self.unnamed.values { connection.closeNow() }
        for connection in self.downstreams.values { connection.end() }
        for session in self.sessions.values { session.end() }
        for pool in self.pools { pool.drain() }
        self.wake?.cancel()
        self.revocations?.stop()
        self.redis?.client.stop()
    }
}
