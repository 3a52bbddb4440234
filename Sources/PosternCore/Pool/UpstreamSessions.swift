/// The HTTP/2 connections of one event loop to one upstream: a machine without I/O beneath `UpstreamPool`, for which every
/// stream is a place of `upstream.connections`. Sessions, as connections of many streams are called here, and places are
/// numbers that the shell gives.
///
/// Requests share a session up to what the service allows at once (SETTINGS_MAX_CONCURRENT_STREAMS); one more is opened
/// only when all are full, so there are never more of them than places.
public struct UpstreamSessions: Sendable {
    /// A session, as the shell numbers it; a number is never given again.
    public typealias SessionID = Int
    /// A place of the pool: a request in flight.
    public typealias PlaceID = UpstreamPool.ConnectionID

    /// What is spoken to the service, as far as that is known.
    public enum Spoken: Equatable, Sendable {
        /// ALPN will say. Legal exits: http1, h2.
        case unknown
        /// ALPN said HTTP/1.1 last: each place needs a connection. Legal exit: h2.
        case http1
        /// Legal exit: http1, if ALPN may say so.
        case h2
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        /// Open a stream for the place.
        case open(PlaceID, on: SessionID)
        /// Make one more connection.
        case connect
        /// The HTTP/1.1 connection that was made is the place's.
        case give(PlaceID)
        /// There is no connection for the place.
        case fail(PlaceID)
        /// No stream is left on the session: it is kept for later.
        case park(SessionID)
        /// Close the session: no stream is left on it.
        case close(SessionID)
    }

    private struct Session: Sendable {
        let id: SessionID
        /// Streams that the service allows at once.
        var limit: Int
        /// Streams that are open.
        var streams = 0
        /// Streams that were ever opened.
        var opened = 0
        /// Whether it gets no more streams: exit: closed, when the last one is over.
        var isLeaving = false

        var hasRoom: Bool { !self.isLeaving && self.streams < self.limit }
    }

    /// Streams in the life of a session. Their numbers are odd and below 2^31 (RFC 9113 section 5.1.1).
    public static let lifetime = 1_000_000_000
    /// What a session is taken to allow before it has said so.
    static let usualLimit = 100

    public private(set) var spoken: Spoken
    private var sessions: [Session] = []
    private var waiting: [PlaceID] = []
    /// Connections that are being made.
    public private(set) var connecting = 0
    /// What the last session allowed.
    private var expected = UpstreamSessions.usualLimit
    private let lifetime: Int
    private var draining = false

    /// - Parameters:
    ///   - spoken: `h2`, or `unknown` where ALPN says.
    ///   - lifetime: streams in the life of a session.
    public init(_ spoken: Spoken, lifetime: Int = UpstreamSessions.lifetime) {
        self.spoken = spoken
        self.lifetime = max(1, lifetime)
    }

    /// Places that wait for a session or a connection.
    public var waitingCount: Int { self.waiting.count }
    /// Sessions that are there.
    public var sessionCount: Int { self.sessions.count }
    /// Streams that are open on all of them.
    public var streamCount: Int { self.sessions.reduce(0) { $0 + $1.streams } }

    // MARK: - Places

    /// A place needs a stream, or a connection.
    public mutating func wanted(_ place: PlaceID) -> Action? {
        if self.waiting.isEmpty, let index = self.sessions.firstIndex(where: \.hasRoom) {
            return self.open(place, at: index)
        }
        self.waiting.append(place)
        return self.connectMore()
    }

    /// A stream is over, or could not be opened.
    public mutating func streamClosed(_ id: SessionID) -> [Action] {
        guard let index = self.sessions.firstIndex(where: { $0.id == id }) else { return [] }
        self.sessions[index].streams -= 1
        return self.serve() + self.settle(id)
    }

    // MARK: - Connections

    /// A connection was made and is a session: the service has sent its settings.
    ///
    /// - Parameter limit: how many streams it allows at once.
    public mutating func connected(_ id: SessionID, limit: Int) -> [Action] {
        self.connecting -= 1
        self.spoken = .h2
        self.expected = max(1, min(limit, Self.usualLimit))
        self.sessions.append(Session(id: id, limit: max(0, limit)))
        return self.serve() + self.settle(id)
    }

    /// A connection was made, and ALPN says HTTP/1.1. Without an action nobody waits for it any more.
    public mutating func connectedHTTP1() -> [Action] {
        self.connecting -= 1
        self.spoken = .http1
        var actions: [Action] = []
        if !self.waiting.isEmpty { actions.append(.give(self.waiting.removeFirst())) }
        return actions + self.connectAll()
    }

    /// A connection could not be made: the places that it would have served learn it.
    public mutating func connectFailed() -> [Action] {
        self.connecting -= 1
        let share =
            switch self.spoken {
            case .unknown: self.waiting.count
            case .http1: 1
            case .h2: self.connecting == 0 ? self.waiting.count : self.expected
            }
        let failed = self.waiting.prefix(share)
        self.waiting.removeFirst(failed.count)
        return failed.map { .fail($0) } + self.connectAll()
    }

    /// The service allows another number of streams from now on.
    public mutating func limitChanged(_ id: SessionID, to limit: Int) -> [Action] {
        guard let index = self.sessions.firstIndex(where: { $0.id == id }) else { return [] }
        self.sessions[index].limit = max(0, limit)
        self.expected = max(1, min(limit, Self.usualLimit))
        return self.serve()
    }

    /// The session gets no more streams: the service has said GOAWAY, or it was idle for as long as it may be.
    public mutating func leaving(_ id: SessionID) -> [Action] {
        guard let index = self.sessions.firstIndex(where: { $0.id == id }), !self.sessions[index].isLeaving else {
            return []
        }
        self.sessions[index].isLeaving = true
        return self.settle(id) + self.serve()
    }

    /// A session is gone.
    public mutating func closed(_ id: SessionID) -> [Action] {
        self.sessions.removeAll { $0.id == id }
        return self.serve()
    }

    /// The service has ended one session after the other before a request was served: those that wait are told.
    public mutating func giveUp() -> [Action] {
        defer { self.waiting = [] }
        return self.waiting.map { .fail($0) }
    }

    /// The pool is to end: sessions close when nothing is left on them. Returns those that have nothing now.
    public mutating func drain() -> [SessionID] {
        self.draining = true
        return self.sessions.filter { $0.streams == 0 }.map(\.id)
    }

    // MARK: - Helpers

    private mutating func open(_ place: PlaceID, at index: Int) -> Action {
        self.sessions[index].streams += 1
        self.sessions[index].opened += 1
        if self.sessions[index].opened >= self.lifetime { self.sessions[index].isLeaving = true }
        return .open(place, on: self.sessions[index].id)
    }

    /// Gives room to those that wait, in their order, and makes connections for the others.
    private mutating func serve() -> [Action] {
        var actions: [Action] = []
        var served = 0
        while served < self.waiting.count, let index = self.sessions.firstIndex(where: \.hasRoom) {
            actions.append(self.open(self.waiting[served], at: index))
            served += 1
        }
        self.waiting.removeFirst(served)
        return actions + self.connectAll()
    }

    private func settle(_ id: SessionID) -> [Action] {
        guard let session = self.sessions.first(where: { $0.id == id }), session.streams == 0 else { return [] }
        return [session.isLeaving || self.draining ? .close(id) : .park(id)]
    }

    private mutating func connectMore() -> Action? {
        guard self.connecting < self.needed else { return nil }
        self.connecting += 1
        return .connect
    }

    private mutating func connectAll() -> [Action] {
        var actions: [Action] = []
        while let action = self.connectMore() { actions.append(action) }
        return actions
    }

    /// How many connections should be on their way for those that wait.
    private var needed: Int {
        switch self.spoken {
        case .unknown: return self.waiting.isEmpty ? 0 : 1
        case .http1: return self.waiting.count
        case .h2:
            // A service that allows nothing for the moment would allow as little on the next one.
            if self.sessions.contains(where: { !$0.isLeaving && $0.limit == 0 }) { return 0 }
            return (self.waiting.count + self.expected - 1) / self.expected
        }
    }
}
