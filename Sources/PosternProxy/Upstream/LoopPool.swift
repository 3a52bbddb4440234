import NIOCore
import NIOSSL
import PosternCore

/// The connections of one event loop to one upstream: carries out what the pool machine says.
final class LoopPool {
    let upstream: UpstreamTarget
    private unowned let loop: LoopContext
    private(set) var machine: UpstreamPool
    /// Whether one request is under way and no other.
    var isServingOne: Bool { self.machine.busy == 1 && self.machine.connecting == 0 }
    /// By number; the numbers of connections that are gone are given again.
    private var connections: [UpstreamHandler?] = []
    private var freeNumbers: [UpstreamPool.ConnectionID] = []
    private var waiters: [UpstreamPool.WaiterID: DownstreamHandler] = [:]
    private var nextWaiter: UpstreamPool.WaiterID = 0
    /// What is beneath the pool where connections are shared, or may be; nil for HTTP/1.1.
    private(set) var sessions: LoopSessions?
    let dial: UpstreamDial
    /// What the service's health checks say; nil: there are none.
    private let health: HealthVerdict?

    init(_ upstream: UpstreamTarget, loop: LoopContext) {
        self.upstream = upstream
        self.loop = loop
        self.health = loop.services.health.verdict(for: upstream)
        self.dial = UpstreamDial(upstream.address, eventLoop: loop.eventLoop, names: loop.services.names)
        self.machine = UpstreamPool(limit: upstream.connectionsPerLoop, queueLimit: upstream.queuePerLoop)
        self.sessions = upstream.applicationProtocol == .http1 ? nil : LoopSessions(pool: self, loop: loop)
        // No weak reference, which would make every other one cost twice as much: `drain` takes it away.
        self.dial.addressesVanished = { self.retireVanished() }
    }

    /// Gets a connection for a request: calls it back at once, or when there is one.
    ///
    /// - Parameter fresh: only a connection that has not served yet will do.
    func acquire(for downstream: DownstreamHandler, fresh: Bool) {
        if let health, health.isDown { return downstream.upstreamUnhealthy() }
        self.nextWaiter &+= 1
        let waiter = self.nextWaiter
        downstream.waiter = waiter
        downstream.wantsFresh = fresh
        let action = self.machine.acquire(waiter, fresh: fresh)
        // The normal case needs no place in the table; any other may end before this call does.
        if case .use = action {} else { self.wait(waiter, downstream, action) }
        self.run(action, asking: downstream)
    }

    /// The request does not wait any more.
    func cancel(_ waiter: UpstreamPool.WaiterID) {
        self.takeWaiter(waiter)
        _ = self.machine.cancelled(waiter)
    }

    /// The exchange on a connection is over, and it can serve another.
    func released(_ connection: UpstreamHandler) {
        guard connection.isActive else { return self.discarded(connection) }
        guard !connection.isRetired else { return connection.discard() }
        connection.isLeased = false
        self.run(self.machine.released(connection.id), asking: nil)
    }

    /// The exchange on a connection is over, and it cannot serve another.
    func discarded(_ connection: UpstreamHandler) {
        guard connection.isLeased else { return }
        connection.isLeased = false
        self.forget(connection)
        self.run(self.machine.discarded(), asking: nil)
    }

    /// A connection is gone.
    func closed(_ connection: UpstreamHandler) {
        if connection.isLeased {
            self.discarded(connection)
        } else if self.connections[connection.id] === connection {
            _ = self.machine.idleClosed(connection.id)
            self.forget(connection)
        }
    }

    private func forget(_ connection: UpstreamHandler) {
        guard self.connections[connection.id] === connection else { return }
        self.place(nil, at: connection.id)
        self.freeNumbers.append(connection.id)
    }

    /// Has such connections serve no other request: idle ones close, others when their exchange is over.
    func retire(where isPast: (UpstreamHandler) -> Bool) {
        for case let connection? in self.connections where isPast(connection) {
            connection.isRetired = true
            guard !connection.isLeased else { continue }
            self.closed(connection)
            connection.closeNow()
        }
    }

    /// Closes idle connections, and others when their exchange is over.
    func drain() {
        self.dial.addressesVanished = {}
        for id in self.machine.drain() { self.connections[id]?.closeNow() }
        self.sessions?.drain()
    }

    var eventLoop: any EventLoop { self.loop.eventLoop }

    // MARK: - Tables

    // Tables are taken out, changed and put back: a request that only looks at them needs no exclusivity checks then.

    private func place(_ connection: UpstreamHandler?, at number: UpstreamPool.ConnectionID) {
        var connections = self.connections
        self.connections = []
        if number == connections.count { connections.append(connection) } else { connections[number] = connection }
        self.connections = connections
    }

    private func wait(
        _ id: UpstreamPool.WaiterID, _ downstream: DownstreamHandler, _ action: UpstreamPool.Action
    ) {
        if action == .queued { self.loop.metrics.poolQueued &+= 1 }
        var waiters = self.waiters
        self.waiters = [:]
        waiters[id] = downstream
        self.waiters = waiters
    }

    @discardableResult
    private func takeWaiter(_ id: UpstreamPool.WaiterID) -> DownstreamHandler? {
        guard !self.waiters.isEmpty else { return nil }
        var waiters = self.waiters
        self.waiters = [:]
        let downstream = waiters.removeValue(forKey: id)
        self.waiters = waiters
        return downstream
    }

    // MARK: - Actions

    private func run(_ action: UpstreamPool.Action, asking downstream: DownstreamHandler?) {
        switch action {
        case .none, .queued:
            break
        case .use(let id, let waiter):
            self.use(id, waiter, downstream)
        case .connect:
            self.connect()
        case .refuse(let waiter):
            (self.takeWaiter(waiter) ?? downstream)?.upstreamUnavailable(.overloaded)
        case .fail(let waiter, let more):
            self.takeWaiter(waiter)?.upstreamUnavailable(.upstreamUnavailable)
            if more { self.connect() }
        case .park(let id):
            self.connections[id]?.parked()
        case .close(let id):
            self.connections[id]?.closeNow()
        }
    }

    private func use(
        _ id: UpstreamPool.ConnectionID, _ waiter: UpstreamPool.WaiterID, _ downstream: DownstreamHandler?
    ) {
        let downstream = self.takeWaiter(waiter) ?? downstream
        guard let connection = self.connections[id], connection.isActive else {
            // It closed in this very turn: nothing of the request was written, so another one is as good.
            if let gone = self.connections[id] { self.forget(gone) }
            self.run(self.machine.discarded(), asking: nil)
            if let downstream { self.acquire(for: downstream, fresh: downstream.wantsFresh) }
            return
        }
        connection.isLeased = true
        guard let downstream else { return self.released(connection) }
        downstream.upstreamReady(connection)
    }

    private func connect() {
        let number = self.freeNumbers.popLast() ?? self.connections.count
        self.place(nil, at: number)
        if let sessions { return sessions.want(number) }
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        let deadline = NIODeadline.now() + .nanoseconds(self.upstream.connectTimeout)
        self.openSocket { channel in
            // A name with several addresses is tried on a channel for each: every channel has its own handlers.
            channel.eventLoop.makeCompletedFuture { try bound.value.initialize(channel, number) }
        }.whenComplete { result in
            switch result {
            case .success(let channel): bound.value.opened(number, channel, deadline)
            case .failure(let error): bound.value.connectFailed(number, TLSTrouble.describe(error))
            }
        }
    }

    /// Opens a socket to the service, within the time for a connection.
    ///
    /// - Parameter initializer: prepares every channel that is tried.
    func openSocket(
        _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        self.dial.connect(timeout: self.upstream.connectTimeout, initializer)
    }

    private func initialize(_ channel: any Channel, _ number: UpstreamPool.ConnectionID) throws {
        guard let tls = self.upstream.tls else {
            let handler = UpstreamHandler(id: number, pool: self, loop: self.loop)
            return try channel.pipeline.syncOperations.addHandler(handler)
        }
        let (handler, watch) = try tls.handlers()
        try channel.pipeline.syncOperations.addHandlers([handler, watch])
    }

    /// The socket is open: over TLS the handshake comes next, within the time for both.
    private func opened(_ number: UpstreamPool.ConnectionID, _ channel: any Channel, _ deadline: NIODeadline) {
        guard let tls = self.upstream.tls else { return self.connected(number, channel) }
        self.secure(channel, tls, until: deadline) { _ in
            let handler = UpstreamHandler(id: number, pool: self, loop: self.loop)
            try handler.install(in: channel)
            self.connected(number, channel)
        } failed: { reason in
            self.connectFailed(number, reason)
        }
    }

    /// Waits for the handshake of a channel with the handlers of `UpstreamTLS`, and checks who answered.
    ///
    /// - Parameters:
    ///   - then: gets what ALPN has agreed on, and adds what comes behind TLS.
    ///   - failed: gets the reason; the channel closes then.
    func secure(
        _ channel: any Channel, _ tls: UpstreamTLS, until deadline: NIODeadline,
        then: @escaping (String?) throws -> Void, failed: @escaping (String) -> Void
    ) {
        // A channel that is closed already has no handler any more.
        guard let watch = try? channel.pipeline.syncOperations.handler(type: HandshakeWatch.self) else {
            return failed(TLSTrouble.describe(ChannelError.eof))
        }
        watch.await(channel, until: deadline) { result in
            do {
                try result.get()
                guard tls.accepts(try channel.pipeline.syncOperations.nioSSL_peerCertificate()) else {
                    throw TLSTrouble.anotherName
                }
                let negotiated = watch.negotiated
                channel.pipeline.syncOperations.removeHandler(watch, promise: nil)
                try then(negotiated)
            } catch {
                let shown = try? channel.pipeline.syncOperations.nioSSL_peerCertificate()
                let reason = TLSTrouble.describe(error, certificate: shown, now: self.loop.wallTime)
                channel.pipeline.syncOperations.closeSocket()
                failed(reason)
            }
        }
    }

    private func connected(_ number: UpstreamPool.ConnectionID, _ channel: any Channel) {
        // A channel that is closed already has no handler any more.
        guard let handler = try? channel.pipeline.syncOperations.handler(type: UpstreamHandler.self) else {
            return self.connectFailed(number, "the connection was closed")
        }
        self.placeTaken(handler)
    }

    /// There is a connection for the place that was asked for under its number.
    func placeTaken(_ handler: UpstreamHandler) {
        self.place(handler, at: handler.id)
        self.followName()
        self.run(self.machine.connected(handler.id), asking: nil)
    }

    /// There is no connection for a place.
    func placeFailed(_ number: UpstreamPool.ConnectionID) {
        self.freeNumbers.append(number)
        self.run(self.machine.connectFailed(), asking: nil)
    }

    private func connectFailed(_ number: UpstreamPool.ConnectionID, _ reason: String) {
        self.noteFailure(reason)
        self.placeFailed(number)
    }

    // MARK: - News

    /// A connection could not be made.
    func noteFailure(_ reason: String) {
        self.loop.metrics.upstreamConnectFailures &+= 1
        self.report(reason)
    }

    /// Says to operators what is wrong with the service.
    func report(_ reason: String) {
        self.loop.services.upstreams.failed(self.upstream.url, reason, now: self.loop.now)
    }

    /// A connection broke in TLS.
    func failed(_ error: any Error) {
        self.report(TLSTrouble.describe(error))
    }

    /// A new connection has brought a whole response.
    func answered() {
        self.loop.services.upstreams.answered(self.upstream.url)
    }
}
