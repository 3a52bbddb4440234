/// The state machine of a tunnel: a client's and an upstream's connection that have become one after a 101. It does no I/O
/// and reads no clock; bytes it only looks at.
public struct Tunnel: Equatable, Sendable {
    public enum Side: Equatable, Sendable {
        case client, upstream
    }

    /// Where the tunnel is.
    public enum State: Equatable, Sendable {
        /// Bytes pass both ways, as far as a side has not ended its own. Exits: `ending`, `closed`.
        case open
        /// It is to end, and a frame to the client is not complete: its rest passes, nothing else does. Exit: `closed`.
        case ending(End)
        /// Nothing passes any more.
        case closed(End)
    }

    /// What ended a tunnel: the `end` label of metrics, `tunnel_end` in the access log.
    public enum End: String, Sendable, CaseIterable {
        /// Both sides, in good order.
        case closed
        /// A connection broke.
        case broken
        /// Nothing was sent for `timeouts.tunnel_idle`.
        case idle
        /// The token's time is over.
        case expired
        /// The token was revoked, or whether it was cannot be said where that is required.
        case revoked
        /// The process ends.
        case drained

        /// The status code of a Close frame, and its reason.
        public var closing: (code: UInt16, reason: StaticString) {
            switch self {
            case .expired: (CloseFrame.policyViolation, "token expired")
            case .revoked: (CloseFrame.policyViolation, "token revoked")
            case .idle: (CloseFrame.goingAway, "idle for too long")
            case .closed, .broken, .drained: (CloseFrame.goingAway, "shutting down")
            }
        }
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case none
        /// What was written to this side is all: end its output when it is out, then `outputEnded`.
        case endOutput(Side)
        /// Send Close frames (`End.closing`) to the client and, if `upstream`, to the upstream; then close both connections
        /// when the frames are out.
        case tell(End, upstream: Bool)
        /// Everything is out, both ways: close both connections.
        case finish
        /// Close both connections at once. `reset`: so that nobody takes what was sent for whole.
        case cut(reset: Bool)
    }

    /// How long things take, in nanoseconds.
    public struct Limits: Equatable, Sendable {
        /// Without a byte either way.
        public var idle: Int64
        /// For the rest of a frame when the tunnel is to end, and for a peer that does not take what is left.
        public var ending: Int64

        public init(idle: Int64, ending: Int64) {
            self.idle = idle
            self.ending = ending
        }
    }

    public private(set) var state = State.open
    private let isWebSocket: Bool
    private let limits: Limits
    private var fromClient = FrameTracker()
    private var fromUpstream = FrameTracker()
    private var clientInputEnded = false
    private var upstreamInputEnded = false
    private var clientOutputEnded = false
    private var upstreamOutputEnded = false
    /// Monotonic nanoseconds.
    private var quietUntil: Int64
    private var expiresAt: Int64
    private var endsAt = Int64.max

    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - expiresAt: when the token's time is over, on the same clock; `Int64.max`: never.
    public init(_ kind: ProtocolSwitch.Kind, limits: Limits, now: Int64, expiresAt: Int64) {
        self.isWebSocket = kind == .webSocket
        self.limits = limits
        self.quietUntil = Self.later(now, limits.idle)
        self.expiresAt = expiresAt
    }

    /// Why the tunnel ends or has ended; nil while it goes on.
    public var end: End? {
        switch self.state {
        case .open: nil
        case .ending(let end), .closed(let end): end
        }
    }

    /// When `deadlinePassed` is to be called.
    public var deadline: Int64 {
        switch self.state {
        case .open: min(self.quietUntil, self.expiresAt)
        case .ending: self.endsAt
        case .closed: .max
        }
    }

    // MARK: - Bytes

    /// Bytes came.
    ///
    /// - Returns: how many of them, from the beginning, are passed on; what is to be done after that. The others are thrown
    ///   away.
    public mutating func received(_ bytes: RawSpan, from side: Side, now: Int64) -> (passed: Int, Action) {
        switch self.state {
        case .open:
            self.quietUntil = Self.later(now, self.idleLimit)
            if self.isWebSocket {
                if side == .client { self.fromClient.take(bytes) } else { self.fromUpstream.take(bytes) }
            }
            return (bytes.byteCount, .none)
        case .ending(let end):
            guard side == .upstream else { return (0, .none) }
            let passed = self.fromUpstream.takeToBoundary(bytes, from: 0)
            return (passed, self.fromUpstream.isAtBoundary ? self.tell(end) : .none)
        case .closed:
            return (0, .none)
        }
    }

    /// A WebSocket of which one side has closed has nothing to wait for but the other's own close.
    private var idleLimit: Int64 {
        let isHalf = self.clientInputEnded || self.upstreamInputEnded
        return self.isWebSocket && isHalf ? min(self.limits.idle, self.limits.ending) : self.limits.idle
    }

    // MARK: - Ends of the connections

    /// A side sends no more.
    public mutating func inputEnded(_ side: Side, now: Int64) -> Action {
        guard case .open = self.state else {
            guard case .ending(let end) = self.state else { return .none }
            // The rest of the frame is not coming, or nobody is there to tell.
            self.state = .closed(end)
            return .cut(reset: false)
        }
        switch side {
        case .client:
            guard !self.clientInputEnded else { return .none }
            self.clientInputEnded = true
        case .upstream:
            guard !self.upstreamInputEnded else { return .none }
            self.upstreamInputEnded = true
        }
        self.quietUntil = Self.later(now, self.idleLimit)
        return .endOutput(side == .client ? .upstream : .client)
    }

    /// Everything for a side is out, and its output has ended.
    public mutating func outputEnded(_ side: Side) -> Action {
        guard case .open = self.state else { return .none }
        if side == .client { self.clientOutputEnded = true } else { self.upstreamOutputEnded = true }
        guard self.clientOutputEnded, self.upstreamOutputEnded else { return .none }
        self.state = .closed(.closed)
        return .finish
    }

    /// A side's connection broke.
    public mutating func failed(_ side: Side) -> Action {
        guard case .open = self.state else { return self.disconnected(side) }
        self.state = .closed(.broken)
        return .cut(reset: true)
    }

    /// A side's connection ended without the word that TLS has for it. A WebSocket has one of its own, which does as well.
    public mutating func endedUnannounced(_ side: Side) -> Action {
        let said = side == .client ? self.fromClient : self.fromUpstream
        guard self.isWebSocket, said.sawClose, said.isAtBoundary else { return self.failed(side) }
        return self.disconnected(side, inGoodOrder: true)
    }

    /// A side's connection is gone. That is the end of its input where its output had ended before.
    ///
    /// - Parameter inGoodOrder: whether the other end is known to have said all that it had to say: TLS says so.
    public mutating func disconnected(_ side: Side, inGoodOrder: Bool = false) -> Action {
        switch self.state {
        case .open:
            let outputEnded = side == .client ? self.clientOutputEnded : self.upstreamOutputEnded
            guard outputEnded || inGoodOrder || (self.clientInputEnded && self.upstreamInputEnded) else {
                self.state = .closed(.broken)
                return .cut(reset: true)
            }
            guard side == .upstream else {
                self.state = .closed(.closed)
                return .finish
            }
            // What the client has yet to take is waited for, within the deadline.
            self.upstreamOutputEnded = true
            guard !self.upstreamInputEnded else { return self.outputEnded(.upstream) }
            self.upstreamInputEnded = true
            return .endOutput(.client)
        case .ending(let end):
            self.state = .closed(end)
            return .cut(reset: false)
        case .closed:
            return .none
        }
    }

    // MARK: - Ends from here

    /// The tunnel is to end because of its token.
    public mutating func revoked(now: Int64) -> Action { self.begin(.revoked, now: now) }

    /// The process is to end. What is no WebSocket cannot be told; it goes on until the process does end.
    public mutating func drain(now: Int64) -> Action { self.isWebSocket ? self.begin(.drained, now: now) : .none }

    /// The process ends now.
    public mutating func ended() -> Action {
        self.state = .closed(self.end ?? .drained)
        return .cut(reset: true)
    }

    /// `deadline` is over.
    public mutating func deadlinePassed(now: Int64) -> Action {
        switch self.state {
        case .open:
            if now >= self.expiresAt { return self.begin(.expired, now: now) }
            return now >= self.quietUntil ? self.begin(.idle, now: now) : .none
        case .ending(let end):
            self.state = .closed(end)
            return .cut(reset: true)
        case .closed:
            return .none
        }
    }

    private mutating func begin(_ end: End, now: Int64) -> Action {
        guard case .open = self.state else { return .none }
        guard self.isWebSocket, !self.fromUpstream.sawClose, !self.fromUpstream.isLost, !self.upstreamInputEnded else {
            self.state = .closed(end)
            return .cut(reset: false)
        }
        guard !self.fromUpstream.isAtBoundary else { return self.tell(end) }
        self.state = .ending(end)
        self.endsAt = Self.later(now, self.limits.ending)
        return .none
    }

    private mutating func tell(_ end: End) -> Action {
        self.state = .closed(end)
        // The last frame of a server may have been its Close.
        guard !self.fromUpstream.sawClose else { return .cut(reset: false) }
        let tellsUpstream = self.fromClient.isAtBoundary && !self.fromClient.sawClose && !self.clientInputEnded
        return .tell(end, upstream: tellsUpstream)
    }

    private static func later(_ now: Int64, _ time: Int64) -> Int64 {
        let (sum, overflow) = now.addingReportingOverflow(time)
        return overflow ? .max : sum
    }
}
