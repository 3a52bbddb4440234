/// The ids of one request: `X-Request-Id` and the W3C trace context, kept from the client where they are acceptable,
/// made otherwise.
///
/// Reused from request to request; nothing is allocated once its buffers have grown.
public struct Identifiers: Sendable {
    /// Whether the client's own header is kept as it is.
    public private(set) var keptRequestID = false
    public private(set) var keptTrace = false
    private var random: IdentifierSource
    private var hasTrace = false
    /// Whether the trace goes on under a span of this process, and with which of the client's words.
    private var isContinued = false
    private var continuesState = false
    /// The client's, where they are kept.
    private var clientRequestID: [UInt8] = []
    private var clientTraceID: [UInt8] = []
    /// The header lines of ids that are made here: only their digits change.
    private var lines = Self.template

    /// W3C trace context section 3.2: version, trace, parent, flags (nothing is recorded here).
    private static let template = Array(
        """
        X-Request-Id: 00000000000000000000000000000000\r
        traceparent: 00-00000000000000000000000000000000-0000000000000000-00\r
        \r

        """.utf8)
    // Where the digits stand, where the second line begins, and where the empty one.
    private static let requestIDStart = 14
    private static let traceLineStart = 48
    private static let traceIDStart = 64
    private static let parentStart = 97
    private static let flagsStart = 114
    private static let emptyLineStart = 118
    /// Digits of an id.
    private static let idLength = 32

    public init(random: IdentifierSource) {
        self.random = random
    }

    /// Takes or makes the ids for a request whose head could be read.
    public mutating func assign(_ bytes: RawSpan, _ head: RequestHead) {
        self.keptRequestID = Self.isAcceptableRequestID(bytes, head.requestID)
        self.keptTrace = Self.isTraceparent(bytes, head.traceparent)
        self.hasTrace = true
        if self.isContinued { self.endContinuation() }
        let (high, low) = self.random.next()
        let digits = [UInt8].hexDigits(high, low)
        if self.keptRequestID {
            self.clientRequestID.removeAll(keepingCapacity: true)
            self.clientRequestID.append(bytes.slice(head.requestID))
        } else {
            self.lines.set(digits: digits, at: Self.requestIDStart)
        }
        if self.keptTrace {
            let start = Int(head.traceparent.start) &+ 3
            self.clientTraceID.removeAll(keepingCapacity: true)
            self.clientTraceID.append(bytes.extracting(start..<(start &+ Self.idLength)))
        } else {
            self.lines.set(digits: digits, at: Self.traceIDStart)
        }
    }

    // MARK: - Tracing

    /// Whether the client's `tracestate` stays.
    var keepsState: Bool { self.keptTrace || (self.isContinued && self.continuesState) }

    /// The halves of the trace's id.
    public var trace: (high: UInt64, low: UInt64) {
        let text = self.keptTrace ? self.clientTraceID.span.bytes : self.lines.span.bytes
        let start = self.keptTrace ? 0 : Self.traceIDStart
        return (TraceContext.number(text, at: start), TraceContext.number(text, at: start &+ 16))
    }

    /// An id for a span of this process: never 0.
    public mutating func makeSpanID() -> UInt64 { self.random.next().0 | 1 }

    /// Has the request go on in this trace, under this span, whatever the client's `traceparent` says.
    ///
    /// - Parameter keepsState: whether the client's `tracestate` goes on with it.
    public mutating func continueTrace(_ context: TraceContext, keepsState: Bool) {
        self.hasTrace = true
        self.keptTrace = false
        self.isContinued = true
        self.continuesState = keepsState
        self.lines.set(hex: context.traceHigh, at: Self.traceIDStart)
        self.lines.set(hex: context.traceLow, at: Self.traceIDStart &+ 16)
        self.lines.set(hex: context.span, at: Self.parentStart)
        self.lines[Self.flagsStart &+ 1] = UInt8(ascii: context.isSampled ? "1" : "0")
    }

    @inline(never)
    private mutating func endContinuation() {
        self.isContinued = false
        self.lines[Self.flagsStart &+ 1] = UInt8(ascii: "0")
    }

    /// Makes an id for a request whose head could not be read. It has no trace.
    public mutating func assignNew() {
        self.keptRequestID = false
        self.keptTrace = false
        self.hasTrace = false
        if self.isContinued { self.endContinuation() }
        let (high, low) = self.random.next()
        self.lines.set(hex: high, at: Self.requestIDStart)
        self.lines.set(hex: low, at: Self.requestIDStart &+ 16)
    }

    /// 1 to 128 of `[A-Za-z0-9._-]`. Allocates: not for the path of a request.
    public var requestID: [UInt8] {
        var id: [UInt8] = []
        self.appendRequestID(to: &id)
        return id
    }

    /// The 32 hexadecimal digits of the trace; empty where there is none. Allocates: not for the path of a request.
    public var traceID: [UInt8] {
        var id: [UInt8] = []
        self.appendTraceID(to: &id)
        return id
    }

    /// Appends the request's id.
    public func appendRequestID(to output: inout [UInt8]) {
        if self.keptRequestID { return output.append(contentsOf: self.clientRequestID) }
        output.append(self.lines.span.bytes.extracting(Self.requestIDStart..<(Self.requestIDStart &+ Self.idLength)))
    }

    /// Appends the trace's id.
    public func appendTraceID(to output: inout [UInt8]) {
        guard self.hasTrace else { return }
        if self.keptTrace { return output.append(contentsOf: self.clientTraceID) }
        output.append(self.lines.span.bytes.extracting(Self.traceIDStart..<(Self.traceIDStart &+ Self.idLength)))
    }

    /// Appends the header lines that are not kept from the client, and with `endsHead` the empty line that ends a head: it
    /// stands behind them already.
    public mutating func appendLines(to output: inout [UInt8], endsHead: Bool = false) {
        let makesTrace = self.hasTrace && !self.keptTrace
        if makesTrace, !self.isContinued { self.lines.set(hex: self.makeSpanID(), at: Self.parentStart) }
        let lines = self.lines.span.bytes
        let start = self.keptRequestID ? Self.traceLineStart : 0
        if makesTrace, endsHead { return output.append(lines.extracting(start..<lines.byteCount)) }
        let end = makesTrace ? Self.emptyLineStart : Self.traceLineStart
        if start < end { output.append(lines.extracting(start..<end)) }
        if endsHead { output.append("\r\n") }
    }

    static func isAcceptableRequestID(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        guard range.count >= 1, range.count <= 128 else { return false }
        for i in range.range where !isHostCharacter(bytes.byte(i)) { return false }
        return true
    }

    /// W3C trace context section 3.2.
    static func isTraceparent(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        range.count >= 55 && TraceContext.isValid(bytes.slice(range))
    }
}

/// Makes ids: unique, not secret. A counter under a bijective mix (SplitMix64) from a random seed, so that a process never
/// makes the same one twice and two processes practically never do.
public struct IdentifierSource: Sendable {
    private var high: UInt64
    private var low: UInt64

    /// - Parameters: two words of real randomness, drawn once per event loop.
    public init(seed high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = low
    }

    mutating func next() -> (UInt64, UInt64) {
        self.high &+= 0x9E37_79B9_7F4A_7C15
        self.low &+= 0xD1B5_4A32_D192_ED03
        return (Self.mix(self.high), Self.mix(self.low))
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
