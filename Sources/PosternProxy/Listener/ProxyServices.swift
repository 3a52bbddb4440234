import Logging
import PosternCore
import Synchronization

/// What the event loops share: nothing on the path of a request but the count of connections, which changes when one
/// opens or closes.
final class ProxyServices: Sendable {
    let sink: LogSink
    let keys: KeyService
    let introspection: IntrospectionService
    let redis: RedisStatus
    let revocations: RevocationStatus
    let proxyHeaders: ProxyHeaderLog
    let upstreams: UpstreamStatus
    let names = NameDirectory()
    let health: HealthService
    let tracing: TracingService
    let logger: Logger
    let labels: RouteLabels
    let loops: LoopList
    private let connections = Atomic<Int>(0)
    private let limit: Atomic<Int>
    private let refused = Atomic<UInt64>(0)

    init(
        sink: LogSink, keys: KeyService, introspection: IntrospectionService, tracing: TracingService,
        labels: RouteLabels, loops: LoopList, logger: Logger, connectionLimit: Int
    ) {
        self.sink = sink
        self.keys = keys
        self.introspection = introspection
        self.tracing = tracing
        self.redis = RedisStatus(logger: logger)
        self.revocations = RevocationStatus(logger: logger)
        self.proxyHeaders = ProxyHeaderLog(logger: logger)
        self.upstreams = UpstreamStatus(logger: logger)
        self.health = HealthService(names: self.names, logger: logger)
        self.logger = logger
        self.labels = labels
        self.loops = loops
        self.limit = Atomic(connectionLimit)
    }

    /// Counts a new client connection. Returns false if there are too many: it is not counted then.
    func connectionOpened() -> Bool {
        let before = self.connections.add(1, ordering: .relaxed).oldValue
        if before < self.limit.load(ordering: .relaxed) { return true }
        self.connections.subtract(1, ordering: .relaxed)
        self.refused.add(1, ordering: .relaxed)
        return false
    }

    func connectionClosed() {
        self.connections.subtract(1, ordering: .relaxed)
    }

    /// Client connections that are open.
    var openConnections: Int { self.connections.load(ordering: .relaxed) }
    /// Client connections that were refused because there were too many.
    var refusedConnections: UInt64 { self.refused.load(ordering: .relaxed) }

    /// Changes `limits.connections`, at a reload.
    func setConnectionLimit(_ limit: Int) { self.limit.store(limit, ordering: .relaxed) }
}
