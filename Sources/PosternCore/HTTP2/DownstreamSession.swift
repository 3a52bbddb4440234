/// The state machine of a client's HTTP/2 connection: its times, and its end. Streams have machines of their own (`Exchange`).
/// It does no I/O and reads no clock.
public struct DownstreamSession: Equatable, Sendable {
    /// Where the connection is.
    public enum State: Equatable, Sendable {
        /// The client's preface and settings are awaited. Exits: `open`, `leaving`, `closed`.
        case greeting
        /// Streams come and go. Exits: `leaving`, `closed`.
        case open
        /// The client was told to open no more streams, and asked to say that it has heard. Streams that it opened before
        /// that are served. Exits: `finishing`, `closed`.
        case leaving
        /// The client has heard: the streams that are there are the last ones. Exit: `closed`.
        case finishing
        case closed
    }

    /// What the shell has to do.
    public enum Action: Equatable, Sendable {
        case none
        /// Tell the client that it is to open no more streams: a GOAWAY that takes back none, and a PING (RFC 9113
        /// section 6.8).
        case announce
        /// Name the last stream that is served.
        case finish
        /// Name it, then close when everything that was written is out.
        case finishAndClose
        /// The same, with ENHANCE_YOUR_CALM (section 7).
        case calmDown
        /// Close now.
        case cut
    }

    /// How long things take, in nanoseconds.
    public struct Limits: Equatable, Sendable {
        /// For the client's preface and settings, and for each field section (`timeouts.head`).
        public var head: Int64
        /// Without a stream (`timeouts.idle`).
        public var idle: Int64
        /// For the answer to the PING, and for what is left to write.
        public var leaving: Int64

        public init(head: Int64, idle: Int64, leaving: Int64 = 5_000_000_000) {
            self.head = head
            self.idle = idle
            self.leaving = leaving
        }
    }

    /// Malformed requests that a client may send in a second. A mistake is one, and costs its stream alone; who sends more
    /// than this keeps everybody else waiting.
    public static let malformedLimit = 100

    /// Streams over the number that a client may have open that it may try to open in a second. One that has not read the
    /// settings yet knows of no number (RFC 9113 section 6.5.2), and sends what it has.
    public static let refusedLimit = 1_000

    /// How often something happens in a second.
    private struct Rate: Equatable, Sendable {
        /// When the first of those that are counted was.
        private var since: Int64 = 0
        private var count = 0

        /// Counts one. Returns whether it is one too many.
        mutating func exceeds(_ limit: Int, now: Int64) -> Bool {
            if now &- self.since >= 1_000_000_000 {
                self.since = now
                self.count = 0
            }
            self.count &+= 1
            return self.count > limit
        }
    }

    public private(set) var state = State.greeting
    /// Streams that are open.
    public private(set) var streams = 0
    /// They may change while the connection is open: what begins after that has the new ones.
    public var limits: Limits
    private var watch = DownstreamFrameWatch()
    /// Whether the process is to end, which the client hears once it has greeted.
    private var isDraining = false
    /// How long a client's greeting is awaited then, in nanoseconds.
    private static let patience: Int64 = 1_000_000_000
    /// Monotonic nanoseconds: when the state has lasted long enough, and when a field section has.
    private var stateEnd: Int64
    private var headEnd = Int64.max
    private var malformedRequests = Rate()
    private var refusedStreams = Rate()

    /// - Parameter now: monotonic nanoseconds.
    public init(limits: Limits, now: Int64) {
        self.limits = limits
        self.stateEnd = now &+ limits.head
    }

    /// When `deadlinePassed` is to be called.
    public var deadline: Int64 { min(self.stateEnd, self.headEnd) }

    // MARK: - Events

    /// Bytes came from the client.
    public mutating func received(_ bytes: RawSpan, now: Int64) {
        let heads = self.watch.heads
        let wasInHead = self.watch.isInHead
        self.watch.take(bytes)
        if !self.watch.isInHead {
            self.headEnd = .max
        } else if !wasInHead || heads != self.watch.heads {
            self.headEnd = now &+ self.limits.head
        }
    }

    /// The client's settings came.
    @discardableResult
    public mutating func greeted(now: Int64) -> Action {
        guard self.state == .greeting else { return .none }
        self.state = .open
        self.stateEnd = self.streams == 0 ? now &+ self.limits.idle : .max
        return self.isDraining ? self.drain(now: now) : .none
    }

    public mutating func streamOpened() {
        self.streams &+= 1
        if self.state == .open { self.stateEnd = .max }
    }

    public mutating func streamClosed(now: Int64) -> Action {
        self.streams &-= 1
        guard self.streams == 0 else { return .none }
        switch self.state {
        case .greeting, .closed:
            return .none
        case .open:
            self.stateEnd = now &+ self.limits.idle
            return .none
        case .leaving:
            // The answer to the PING was due long before.
            self.stateEnd = min(self.stateEnd, now &+ self.limits.leaving)
            return .none
        case .finishing:
            return self.close(now: now)
        }
    }

    /// The process is to end. A client that has just connected may have sent its first requests already.
    public mutating func drain(now: Int64) -> Action {
        switch self.state {
        case .greeting:
            self.isDraining = true
            self.stateEnd = min(self.stateEnd, now &+ Self.patience)
            return .none
        case .open:
            self.state = .leaving
            self.stateEnd = now &+ self.limits.leaving
            return .announce
        case .leaving, .finishing, .closed:
            return .none
        }
    }

    /// The client has answered the PING: it has heard, and what it opened before that has come.
    public mutating func heard(now: Int64) -> Action {
        guard self.state == .leaving else { return .none }
        return self.finish(now: now)
    }

    /// The client has broken the protocol, and was told so.
    public mutating func broken(now: Int64) -> Action { self.state == .closed ? .none : self.close(now: now) }

    /// A request was malformed, and its stream was reset.
    public mutating func malformed(now: Int64) -> Action {
        self.malformedRequests.exceeds(Self.malformedLimit, now: now) ? self.calmDown(now: now) : .none
    }

    /// A stream more than the client may have open was reset.
    public mutating func refused(now: Int64) -> Action {
        self.refusedStreams.exceeds(Self.refusedLimit, now: now) ? self.calmDown(now: now) : .none
    }

    /// The client has opened windows more often than what it got can be a reason for: each frame of content is one for two
    /// frames, and for a client that takes it in small parts for ten times as many.
    public mutating func windowsOpened(now: Int64) -> Action { self.calmDown(now: now) }

    /// Whether that is so.
    ///
    /// - Parameter contentFrames: frames with content that the client was sent.
    public func opensTooManyWindows(contentFrames: Int) -> Bool {
        self.watch.windowUpdates > Self.freeWindowUpdates &+ 2 &* (self.watch.heads &+ 10 &* contentFrames)
    }

    private static let freeWindowUpdates = 200

    private mutating func calmDown(now: Int64) -> Action {
        guard self.state != .closed else { return .none }
        _ = self.close(now: now)
        return .calmDown
    }

    /// `deadline` is over.
    public mutating func deadlinePassed(now: Int64) -> Action {
        if self.headEnd <= now {
            // Nothing can be read past a field section that is not complete: the streams that are there are the last.
            return self.close(now: now)
        }
        switch self.state {
        case .greeting, .closed:
            self.state = .closed
            return .cut
        case .open:
            return self.drain(now: now)
        case .leaving:
            return self.finish(now: now)
        case .finishing:
            return .none
        }
    }

    private mutating func finish(now: Int64) -> Action {
        guard self.streams > 0 else { return self.close(now: now) }
        self.state = .finishing
        self.stateEnd = .max
        return .finish
    }

    private mutating func close(now: Int64) -> Action {
        self.state = .closed
        self.stateEnd = now &+ self.limits.leaving
        self.headEnd = .max
        return .finishAndClose
    }
}
