/// Reads the bytes that the proxy writes to a client of HTTP/1.1, for a stream of HTTP/2: one response, with what comes
/// before its head (1xx), its body less the framing, and its trailers; or a tunnel. Works at every cut of the bytes.
public struct DownstreamResponse: Sendable {
    /// What the next bytes are.
    public enum Step: Equatable, Sendable {
        /// All bytes but an unfinished head are used; ask again with more behind what is left.
        case needMore
        /// A head of 1xx stands at the beginning, so many bytes long: the final one follows.
        case interim(status: Int, end: Int)
        /// The final head stands at the beginning.
        case head(status: Int, end: Int, isAll: Bool)
        /// A 101 stands at the beginning: what follows it is the tunnel's.
        case tunnel(end: Int)
        /// Content; `isAll`: nothing follows it.
        case data(Range<Int>, isAll: Bool)
        /// The body is complete, and its trailers are in `trailers`.
        case end(Int)
        /// The bytes are no response.
        case problem
    }

    private enum Phase: Equatable, Sendable {
        /// Exits: `body`, `tunnel`, `ended`.
        case head
        /// Exit: `ended`.
        case body
        case tunnel
        case ended
    }

    private var phase = Phase.head
    private var body = BodyDecoder(.none, trailerLimit: 0)
    private let toHead: Bool

    /// - Parameter toHead: the request was HEAD.
    public init(toHead: Bool) {
        self.toHead = toHead
    }

    /// Whether the response is complete.
    public var isEnded: Bool { self.phase == .ended }
    /// Whether the final head was read.
    public var hasBegun: Bool { self.phase != .head }
    /// Whether bytes pass as they are.
    public var isTunnel: Bool { self.phase == .tunnel }
    /// The trailer section: whole lines with their CRLF.
    public var trailers: [UInt8] { self.body.trailers }

    /// Reads on; `bytes` begin with what was not used before.
    ///
    /// - Parameter head: memory in which heads are read; after a step with a head it holds that head.
    public mutating func next(_ bytes: RawSpan, head: inout DownstreamResponseHead) -> Step {
        switch self.phase {
        case .head:
            return self.readHead(bytes, &head)
        case .body:
            return self.readBody(bytes)
        case .tunnel:
            return bytes.byteCount == 0 ? .needMore : .data(0..<bytes.byteCount, isAll: false)
        case .ended:
            return bytes.byteCount == 0 ? .needMore : .problem
        }
    }

    private mutating func readHead(_ bytes: RawSpan, _ head: inout DownstreamResponseHead) -> Step {
        guard bytes.byteCount > 0 else { return .needMore }
        switch head.read(bytes, toHead: self.toHead) {
        case .incomplete: return .needMore
        case .problem: return .problem
        case .head(let status, let end, let framing):
            if status == 101 {
                self.phase = .tunnel
                return .tunnel(end: end)
            }
            if status < 200 { return .interim(status: status, end: end) }
            self.body = BodyDecoder(framing, trailerLimit: Self.trailerLimit)
            self.phase = self.body.isComplete ? .ended : .body
            return .head(status: status, end: end, isAll: self.phase == .ended)
        }
    }

    private mutating func readBody(_ bytes: RawSpan) -> Step {
        switch self.body.next(bytes, from: 0) {
        case .data(let range):
            if self.body.isComplete { self.phase = .ended }
            return .data(range, isAll: self.phase == .ended)
        case .needMore:
            return .needMore
        case .complete(let end):
            self.phase = .ended
            return .end(end)
        case .problem:
            return .problem
        }
    }

    /// The trailers of a response came through a limit of their own.
    private static let trailerLimit = 1 << 20
}

/// The memory in which one event loop reads the heads of responses that go to streams.
public struct DownstreamResponseHead: Sendable {
    private var scanner = HeadScanner(skipsEmptyLine: false)
    private var head = ResponseHead()

    public init() {}

    enum Outcome {
        case incomplete
        case problem
        case head(status: Int, end: Int, BodyFraming)
    }

    mutating func read(_ bytes: RawSpan, toHead: Bool) -> Outcome {
        self.scanner.reset()
        switch self.scanner.scan(bytes, limits: Self.limits) {
        case .incomplete:
            return .incomplete
        case .problem:
            return .problem
        case .complete(let end):
            do throws(HTTPProblem) {
                try self.head.read(bytes, self.scanner, end: end, toHead: toHead)
            } catch {
                return .problem
            }
            return .head(status: self.head.status, end: end, self.head.framing)
        }
    }

    /// What the proxy writes was read with narrower ones.
    private static let limits = HeadLimits(head: 1 << 20, target: 1 << 16, fields: 4096)

    /// Calls `body` with the fields of the head that was read last, less those that HTTP/2 does not have (RFC 9113
    /// section 8.2.2).
    ///
    /// - Parameter bytes: those that the head was read from.
    public func forEachField(_ bytes: RawSpan, _ body: (_ name: RawSpan, _ value: RawSpan) -> Void) {
        for field in self.head.fields where !field.kind.isHopByHop {
            body(bytes.slice(field.name), bytes.slice(field.value))
        }
    }
}
