import Logging
import NIOCore
import NIOPosix
import PosternCore
import PosternCrypto
import Synchronization
import UnixSignals

/// A proxy that listens: its event loops, listeners, keys and log, and what happens to them until the end.
final class ProxyRuntime: Sendable {
    /// What changes while the process runs.
    struct State {
        var snapshot: Snapshot
        var generation = 1
        var reloadsApplied: UInt64 = 0
        var reloadsRefused: UInt64 = 0
        /// The files of the configuration that was refused last; nil if none was since one was applied.
        var refused: NamedFiles?
        var listening = false
        var draining = false
        /// Whether another process serves at these addresses now.
        var takenOver = false
    }

    private let path: String
    let loops: [NIOLoopBound<LoopContext>]
    let services: ProxyServices
    let logger: Logger
    private let threshold: JSONLogHandler.Threshold
    let state: Mutex<State>
    private let lastReload = Mutex<Task<Void, Never>?>(nil)
    let listeners = Mutex<[OpenListener]>([])
    /// Those of the listeners that speak TLS.
    private let secured = Mutex<[Address: ListenerTLS]>([:])
    let admin = Mutex<[OpenListener]>([])

    /// Compiles the configuration and opens every listener; if there is a predecessor, as soon as this process can serve in
    /// its place.
    init(
        _ configuration: Configuration, path: String, group: MultiThreadedEventLoopGroup, loops: Int,
        predecessor: Predecessor? = nil
    ) async throws {
        self.path = path
        let sink = LogSink()
        let threshold = JSONLogHandler.Threshold()
        threshold.value = configuration.log.level.loggerLevel
        var logger = Logger(label: "postern") { _ in JSONLogHandler(sink: sink, threshold: threshold) }
        logger[metadataKey: "service"] = "\(configuration.service)"
        let labels = RouteLabels()
        let snapshot = try Snapshot(configuration, generation: 1, labels: labels, loops: loops)
        let box = LoopList()
        let keys = KeyService(group: group, logger: logger) { publication in
            box.tell { $0.setKeys(publication) }
        }
        let introspection = IntrospectionService(group: group, loops: box, logger: logger)
        introspection.adopt(snapshot)
        let tracing = TracingService(group: group, logger: logger)
        tracing.adopt(snapshot.tracing)
        let services = ProxyServices(
            sink: sink, keys: keys, introspection: introspection, tracing: tracing, labels: labels, loops: box,
            logger: logger, connectionLimit: configuration.limits.connections)
        var contexts: [NIOLoopBound<LoopContext>] = []
        for (index, eventLoop) in group.makeIterator().enumerated() {
            contexts.append(
                try await eventLoop.submit {
                    NIOLoopBound(
                        LoopContext(eventLoop: eventLoop, services: services, snapshot: snapshot, index: index),
                        eventLoop: eventLoop)
                }.get())
        }
        box.set(contexts)
        for context in contexts {
            try await context.eventLoop.submit { context.value.adoptRedis(snapshot) }.get()
        }
        services.health.adopt(snapshot, on: contexts[0].eventLoop)
        self.loops = contexts
        self.services = services
        self.logger = logger
        self.threshold = threshold
        self.state = Mutex(State(snapshot: snapshot))
        if let predecessor {
            await keys.adopt(snapshot)
            try await self.becomeReady(inPlaceOf: predecessor)
        }
        try await self.open(configuration, shares: predecessor != nil)
        self.state.withLock { $0.listening = true }
        if predecessor == nil { await keys.adopt(snapshot) }
    }

    /// - Parameter shares: whether there may be another process at the same addresses.
    private func open(_ configuration: Configuration, shares: Bool) async throws {
        let eventLoop = self.loops[0].eventLoop
        let admin = try await AdminServer(scope: .admin, source: self).open(
            configuration.admin.address, on: eventLoop, shares: shares)
        self.admin.withLock { $0.append(admin) }
        if let status = configuration.admin.status {
            let listener = try await AdminServer(scope: .status, source: self).open(
                status, on: eventLoop, shares: shares)
            self.admin.withLock { $0.append(listener) }
        }
        for listener in configuration.listen {
            let tls = try listener.tls.map { try ListenerTLS($0) }
            self.secured.withLock { $0[listener.address] = tls }
            let open = try await Listeners(loops: self.loops, sharesAddresses: shares).open(
                listener.address, Listeners.Layers(proxyProtocol: listener.proxyProtocol, tls: tls))
            self.listeners.withLock { $0.append(open) }
            let bound = open.file == nil ? open.channels.first?.localAddress?.description : nil
            self.logger.info(
                "listening",
                metadata: [
                    "address": "\(bound ?? listener.address.description)",
                    "tls": "\(tls != nil)", "upstream": "\(configuration.upstream.url)",
                    "admin": "\(configuration.admin.address)",
                    "event_loops": "\(self.loops.count)",
                ])
        }
    }

    func logWarnings(_ warnings: [ConfigurationProblem]) {
        for warning in warnings {
            self.logger.warning("configuration", metadata: ["problem": "\(warning.line(file: self.path))"])
        }
    }

    // MARK: - Running

    /// Serves until a signal ends the process.
    ///
    /// - Parameter predecessor: the process that this one takes the place of, which hears of it now.
    /// - Returns: the exit code.
    func serve(_ signals: UnixSignalsSequence, _ file: FileWatch, predecessor: Predecessor? = nil) async -> Int32 {
        let watch = Task { await self.watch(file) }
        let takeOver = Task { if let predecessor { await self.takeOver(predecessor) } }
        ColdCode.releaseSoon()
        defer {
            watch.cancel()
            takeOver.cancel()
        }
        return await withTaskGroup(of: Int32?.self) { tasks in
            let (ended, end) = AsyncStream.makeStream(of: Ending.self)
            tasks.addTask { await self.obey(signals, end) }
            tasks.addTask {
                for await ending in ended {
                    await self.drain(ending)
                    return 0
                }
                return nil
            }
            for await code in tasks {
                guard let code else { continue }
                tasks.cancelAll()
                await self.services.sink.flush(seconds: 1)
                return code
            }
            return 0
        }
    }

    /// Does what signals say.
    ///
    /// - Returns: the exit code of a process that is to end at once.
    private func obey(_ signals: UnixSignalsSequence, _ end: AsyncStream<Ending>.Continuation) async -> Int32? {
        var terminating = false
        for await signal in signals {
            switch signal {
            case .sighup:
                await self.reload(cause: "SIGHUP")
            case .sigusr2:
                end.yield(.takenOver)
            case _ where terminating:
                return 1
            default:
                terminating = true
                end.yield(.stopped)
            }
        }
        return nil
    }

    private func watch(_ file: FileWatch) async {
        var watch = file
        var quiet = QuietTime(now: SystemClock.monotonic, used: SystemClock.processorTime)
        var certificates = TLSFileWatch(beside: self.path)
        certificates.follow(self.tlsFiles)
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let changes = (file: watch.hasChanged(), certificates: certificates.hasChanged())
            if changes.file || changes.certificates {
                await self.reload(cause: changes.file ? "file change" : "certificate change")
                certificates.follow(self.tlsFiles)
            } else if self.state.withLock({ $0.refused })?.haveChanged() == true {
                await self.reload(cause: "change of a file that the refused configuration names")
                certificates.follow(self.tlsFiles)
            }
            if quiet.passed(now: SystemClock.monotonic, used: SystemClock.processorTime) { ColdCode.release() }
        }
    }

    /// Certificates and keys of the policy in force.
    private var tlsFiles: [Configuration.TLSFile] { self.state.withLock { $0.snapshot.configuration.tlsFiles } }

    // MARK: - Reload

    /// Loads the file anew, after every reload that was asked for before: a signal and a change of the file often come
    /// together, and the event loops and the keys must see all policies in one order.
    private func reload(cause: String) async {
        let task = self.lastReload.withLock { last in
            let before = last
            let task = Task {
                await before?.value
                await self.load(cause)
            }
            last = task
            return task
        }
        await task.value
    }

    /// Loads the file anew; if it is without errors, puts it in force for new requests.
    private func load(_ cause: String) async {
        let files = NamedFiles()
        switch ConfigurationFile.loadUsable(path: self.path, noting: files) {
        case .failure(let problems):
            self.refuseReload(problems.problems.map { $0.line(file: self.path) }, files, cause)
        case .success(let loaded):
            await self.apply(loaded, files, cause)
        }
    }

    private func refuseReload(_ problems: [String], _ files: NamedFiles, _ cause: String) {
        self.state.withLock { state in
            state.reloadsRefused += 1
            state.refused = files
        }
        for problem in problems {
            self.logger.error("reload refused", metadata: ["cause": "\(cause)", "problem": "\(problem)"])
        }
    }

    private func apply(_ loaded: LoadedConfiguration, _ files: NamedFiles, _ cause: String) async {
        let configuration = loaded.configuration
        let (old, generation) = self.state.withLock { ($0.snapshot, $0.generation + 1) }
        let snapshot: Snapshot
        do {
            snapshot = try Snapshot(
                configuration, generation: generation, labels: self.services.labels, loops: self.loops.count)
            for listener in configuration.listen {
                guard let tls = listener.tls else { continue }
                try self.secured.withLock { $0[listener.address] }?.adopt(tls)
            }
        } catch {
            return self.refuseReload(["\(self.path): \(error)"], files, cause)
        }
        self.state.withLock { state in
            state.snapshot = snapshot
            state.generation = generation
            state.reloadsApplied += 1
            state.refused = nil
        }
        self.threshold.value = configuration.log.level.loggerLevel
        self.services.setConnectionLimit(configuration.limits.connections)
        // First those who are asked, then those who ask; and nobody is sent away while an event loop may still turn to them.
        self.services.introspection.adopt(snapshot)
        self.services.tracing.adopt(snapshot.tracing)
        self.services.health.adopt(snapshot, on: self.loops[0].eventLoop)
        for loop in self.loops {
            try? await loop.eventLoop.submit { loop.value.adopt(snapshot) }.get()
        }
        self.services.introspection.retire()
        await self.services.keys.adopt(snapshot)
        self.logWarnings(loaded.warnings)
        self.logger.info("reloaded", metadata: ["cause": "\(cause)", "generation": "\(generation)"])
        self.warnOfRestart(old.configuration, configuration)
        ColdCode.releaseSoon()
    }

    private func warnOfRestart(_ old: Configuration, _ new: Configuration) {
        var keys: [String] = []
        let isSame = old.listen.elementsEqual(new.listen) {
            $0.address == $1.address && $0.proxyProtocol == $1.proxyProtocol && ($0.tls == nil) == ($1.tls == nil)
        }
        if !isSame { keys.append("listen") }
        if old.admin.address != new.admin.address || old.admin.status != new.admin.status { keys.append("admin") }
        if old.eventLoops != new.eventLoops { keys.append("event_loops") }
        for key in keys {
            self.logger.warning("a changed key needs a restart", metadata: ["key": "\(key)"])
        }
    }
}

// MARK: - Admin

extension ProxyRuntime: AdminSource {
    func readiness() async -> Readiness {
        let keys = await self.services.keys.status()
        // Who asks whether this address serves is told that it does, even if he asks the process that is about to go.
        let (listening, draining, requires, upstream) = self.state.withLock { state in
            let requires = state.snapshot.issuers.contains { $0.revocation == .required }
            return (
                state.listening, state.draining && !state.takenOver, requires, state.snapshot.upstreams.first
            )
        }
        let isWell = upstream.flatMap { self.services.health.verdict(for: $0) }.map { $0.value == .up } ?? true
        return Readiness(
            listening: listening, draining: draining,
            issuersWithoutKeys: keys.filter { !$0.hasKeys }.map(\.issuer),
            missesRevocations: self.services.revocations.report.map { !(requires ? $0.isKnown : $0.wasTried) } ?? false,
            unhealthyUpstream: isWell ? nil : upstream?.url)
    }

    func metrics() async -> String {
        var gathered = MetricsText.Gathered()
        for loop in self.loops {
            let metrics = try? await loop.eventLoop.submit { loop.value.currentMetrics() }.get()
            if let metrics { gathered.loops.append(metrics) }
        }
        gathered.keys = await self.services.keys.status()
        gathered.introspection = self.services.introspection.status
        gathered.health = self.services.health.status
        gathered.tracing = self.services.tracing.status
        gathered.redisUp = self.services.redis.isUp
        gathered.revocation = self.services.revocations.report
        gathered.routeNames = self.services.labels.names
        gathered.droppedLogLines = self.services.sink.dropped
        gathered.refusedConnections = self.services.refusedConnections
        self.state.withLock { state in
            gathered.reloadsApplied = state.reloadsApplied
            gathered.reloadsRefused = state.reloadsRefused
            gathered.snapshots = Snapshot.count
            gathered.draining = state.draining
        }
        return MetricsText.render(gathered)
    }

    func policy() async -> String {
        self.state.withLock { $0.snapshot.configuration }.effectivePolicy()
    }
}

extension Configuration.Log.Level {
    var loggerLevel: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        case .critical: .critical
        }
    }
}
