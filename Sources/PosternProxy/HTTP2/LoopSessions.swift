import NIOCore
import NIOHTTP2
import NIOPosix
import PosternCore

/// The HTTP/2 connections of one event loop to one upstream, beneath its pool: carries out what the machine says. With
/// `protocol: auto` it also makes the connections that turn out to be HTTP/1.1.
final class LoopSessions {
    private unowned let pool: LoopPool
    private let loop: LoopContext
    private(set) var machine: UpstreamSessions
    private var sessions: [UpstreamSessions.SessionID: UpstreamSession] = [:]
    private var nextSession: UpstreamSessions.SessionID = 0
    /// The HTTP/1.1 connection that was made last, until it is given to a place.
    private var made: (any Channel)?
    /// How many sessions ended, one after the other, before they had served.
    private var barren = 0

    /// As many of these, and requests are told that the service cannot be had.
    private static let barrenLimit = 3

    init(pool: LoopPool, loop: LoopContext) {
        self.pool = pool
        self.loop = loop
        self.machine = UpstreamSessions(pool.upstream.applicationProtocol == .auto ? .unknown : .h2)
    }

    /// A place of the pool needs a stream, or a connection.
    func want(_ place: UpstreamPool.ConnectionID) {
        if let action = self.machine.wanted(place) { self.run(action) }
    }

    /// Closes sessions that have nothing to do, and the others when they have no more.
    func drain() {
        for id in self.machine.drain() { self.sessions[id]?.leave() }
    }

    /// Has sessions that lead to such addresses get no more streams.
    func retire(where isPast: (SocketAddress?) -> Bool) {
        for session in Array(self.sessions.values) where isPast(session.remoteAddress) { self.left(session) }
    }

    // MARK: - Actions

    private func run(_ actions: [UpstreamSessions.Action]) {
        for action in actions { self.run(action) }
    }

    private func run(_ action: UpstreamSessions.Action) {
        switch action {
        case .open(let place, let id): self.open(place, on: id)
        case .connect: self.connect()
        case .give(let place): self.give(place)
        case .fail(let place): self.pool.placeFailed(place)
        case .park(let id): self.sessions[id]?.parked()
        case .close(let id): self.sessions[id]?.leave()
        }
    }

    private func open(_ place: UpstreamPool.ConnectionID, on id: UpstreamSessions.SessionID) {
        guard let session = self.sessions[id] else {
            preconditionFailure("the machine forgets a session when this does")
        }
        let handler = UpstreamHandler(
            id: place, pool: self.pool, loop: self.loop, codec: UpstreamStreamCodec(session: session))
        let bound = NIOLoopBound((self, handler, session), eventLoop: self.loop.eventLoop)
        session.openStream { channel in
            let (_, handler, _) = bound.value
            try handler.install(in: channel)
        } then: { result in
            let (sessions, handler, session) = bound.value
            // GOAWAY, or the end, may have come first.
            guard session.isOpen, case .success(let channel) = result, channel.isActive else {
                if case .success(let channel) = result { channel.close(promise: nil) } else { session.streamClosed() }
                return sessions.wantAgain(place)
            }
            sessions.pool.placeTaken(handler)
        }
    }

    /// The session of a place has ended before the request could be sent.
    private func wantAgain(_ place: UpstreamPool.ConnectionID) {
        guard self.barren >= Self.barrenLimit else { return self.want(place) }
        self.pool.noteFailure("the service ends HTTP/2 connections before it has served a request")
        self.pool.placeFailed(place)
    }

    // MARK: - Connections

    private func connect() {
        // The pool stays until this is over, whether or not it is replaced meanwhile.
        let bound = NIOLoopBound((self, self.pool), eventLoop: self.loop.eventLoop)
        let deadline = NIODeadline.now() + .nanoseconds(self.pool.upstream.connectTimeout)
        let tls = self.pool.upstream.tls
        self.pool.openSocket { channel in
            channel.eventLoop.makeCompletedFuture {
                guard let (handler, watch) = try tls?.handlers() else { return }
                try channel.pipeline.syncOperations.addHandlers([handler, watch])
            }
        }.whenComplete { result in
            let (sessions, _) = bound.value
            switch result {
            case .success(let channel): sessions.socketOpened(channel, tls, deadline)
            case .failure(let error): sessions.failed(TLSTrouble.describe(error))
            }
        }
    }

    private func socketOpened(_ channel: any Channel, _ tls: UpstreamTLS?, _ deadline: NIODeadline) {
        guard let tls else {
            do { return try self.begin(channel, deadline) } catch {
                channel.close(promise: nil)
                return self.failed(TLSTrouble.describe(error))
            }
        }
        self.pool.secure(channel, tls, until: deadline) { negotiated in
            if negotiated == "h2" { return try self.begin(channel, deadline) }
            guard self.pool.upstream.applicationProtocol == .auto else { throw UpstreamSession.NotOffered() }
            self.connectedHTTP1(channel)
        } failed: { reason in
            self.failed(reason)
        }
    }

    private func begin(_ channel: any Channel, _ deadline: NIODeadline) throws {
        self.nextSession += 1
        let session = UpstreamSession(
            id: self.nextSession, sessions: self, pool: self.pool, loop: self.loop)
        try session.install(in: channel)
        session.awaitSettings(until: Int64(truncatingIfNeeded: deadline.uptimeNanoseconds))
    }

    private func connectedHTTP1(_ channel: any Channel) {
        self.made = channel
        self.run(self.machine.connectedHTTP1())
        // Those that it was made for were served by a session meanwhile.
        if let channel = self.made.take() { channel.pipeline.syncOperations.closeSocket() }
    }

    private func give(_ place: UpstreamPool.ConnectionID) {
        guard let channel = self.made.take() else { preconditionFailure("a connection is given when it was made") }
        let handler = UpstreamHandler(id: place, pool: self.pool, loop: self.loop)
        do {
            try handler.install(in: channel)
            self.pool.placeTaken(handler)
        } catch {
            self.pool.placeFailed(place)
        }
    }

    // MARK: - News

    /// A connection could not be made, or is no session.
    func failed(_ reason: String) {
        self.pool.noteFailure(reason)
        self.run(self.machine.connectFailed())
    }

    /// The service has sent its settings.
    func opened(_ session: UpstreamSession, limit: Int) {
        self.sessions[session.id] = session
        self.run(self.machine.connected(session.id, limit: limit))
    }

    /// The service allows another number of streams at once.
    func limitChanged(_ session: UpstreamSession, to limit: Int) {
        self.run(self.machine.limitChanged(session.id, to: limit))
    }

    /// The session gets no more streams.
    func left(_ session: UpstreamSession) {
        self.run(self.machine.leaving(session.id))
    }

    /// A session has served a request.
    func served() {
        self.barren = 0
    }

    /// The service has ended a session, or said that it will, before a request was served on it.
    func wasBarren() {
        self.barren += 1
        if self.barren >= Self.barrenLimit { self.run(self.machine.giveUp()) }
    }

    /// A stream of the session is over.
    func streamClosed(_ session: UpstreamSession) {
        self.run(self.machine.streamClosed(session.id))
    }

    /// The session is gone.
    func closed(_ session: UpstreamSession) {
        self.sessions[session.id] = nil
        self.run(self.machine.closed(session.id))
    }
}
