/// The memory in which one event loop reads response heads: what `Intake` is for requests.
public struct ResponseIntake: Sendable {
    private var scanner = HeadScanner(skipsEmptyLine: false)
    private var head = ResponseHead()

    public init() {}

    /// What a response head says that outlives its bytes.
    public struct Facts: Equatable, Sendable {
        public var status: Int
        /// Bytes of the head.
        public var end: Int
        public var framing: BodyFraming
        /// Whether the upstream keeps the connection after this response.
        public var keepAlive: Bool
        /// Whole seconds of `Keep-Alive: timeout=`, if the upstream said so.
        public var keepAliveTimeout: Int64?
        /// Whether the body is one that may be silent for long (`ResponseHead.isEventStream`).
        public var isEventStream: Bool

        /// 1xx: not the final response.
        public var isInterim: Bool { self.status < 200 }

        init(_ head: ResponseHead) {
            self.status = head.status
            self.end = head.end
            self.framing = head.framing
            self.keepAlive = head.keepAlive
            self.keepAliveTimeout = head.keepAliveTimeout
            self.isEventStream = head.isEventStream
        }
    }

    /// What stands at the beginning of some bytes.
    public enum Outcome: Sendable {
        /// All bytes are used and the head goes on: look again with `scanner` when there are more.
        case incomplete(HeadScanner)
        /// What the upstream sent is not acceptable: 502.
        case problem(HTTPProblem)
        case head(Facts)
    }

    /// Reads the head that `bytes` begin with.
    ///
    /// - Parameters:
    ///   - resumed: the scanner of an earlier `incomplete` for the same head.
    ///   - toHead: whether the request's method was HEAD.
    public mutating func take(
        _ bytes: RawSpan, resumed: HeadScanner?, limits: HeadLimits, toHead: Bool
    ) -> Outcome {
        if let resumed { self.scanner = resumed } else { self.scanner.reset() }
        switch self.scanner.scan(bytes, limits: limits) {
        case .incomplete:
            return .incomplete(self.scanner)
        case .problem(let problem):
            return .problem(problem)
        case .complete(let end):
            do throws(HTTPProblem) {
                try self.head.read(bytes, self.scanner, end: end, toHead: toHead)
            } catch {
                return .problem(error)
            }
            return .head(Facts(self.head))
        }
    }

    /// Whether the head that was taken last accepts the protocol that the upstream was asked for.
    public func accepts(_ bytes: RawSpan, _ upgrade: ProtocolSwitch) -> Bool {
        upgrade.isAccepted(bytes, by: self.head)
    }

    /// Appends the client's head for the 101 that was taken last: the upstream's lines less the hop-by-hop ones, with this
    /// side's Connection and Upgrade.
    public mutating func composeSwitch(_ bytes: RawSpan, _ upgrade: ProtocolSwitch, into output: inout [UInt8]) {
        let client = DownstreamHead.Client(minorVersion: 1, close: false)
        DownstreamHead.compose(bytes, self.head, client: client, framing: .plain, into: &output)
        // In front of the empty line that ends the head.
        output.removeLast(2)
        upgrade.appendLines(to: &output)
        output.append("\r\n")
    }

    /// Appends the client's head for the head that was taken last. Changes nothing; `mutating` so that the head is used where
    /// it stands and not copied.
    public mutating func compose(
        _ bytes: RawSpan, client: DownstreamHead.Client, framing: DownstreamHead.Framing, into output: inout [UInt8]
    ) {
        DownstreamHead.compose(bytes, self.head, client: client, framing: framing, into: &output)
    }
    /// The same with the proxy's CORS lines in place of the service's.
    public mutating func compose(
        _ bytes: RawSpan, client: DownstreamHead.Client, framing: DownstreamHead.Framing, crossOrigin: CrossOriginLines,
        into output: inout [UInt8]
    ) {
        DownstreamHead.compose(
            bytes, self.head, client: client, framing: framing, crossOrigin: crossOrigin, into: &output)
    }
}
