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

        """.utf8)
    // Where the digits stand, and where the second line begins.
    private static let requestIDStart = 14
    private static let traceLineStart = 48
    private static let traceIDStart = 64
    private static let parentStart = 97
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
        let (high, low) = self.random.next()
        if self.keptRequestID {
            self.clientRequestID.removeAll(keepingCapacity: true)
            self.clientRequestID.append(bytes.slice(head.requestID))
        } else {
            self.lines.set(hex: high, at: Self.requestIDStart)
            self.lines.set(hex: low, at: Self.requestIDStart &+ 16)
        }
        if self.keptTrace {
            let start = Int(head.traceparent.start) &+ 3
            self.clientTraceID.removeAll(keepingCapacity: true)
            self.clientTraceID.append(bytes.extracting(start..<(start &+ Self.idLength)))
        } else {
            self.lines.set(hex: high, at: Self.traceIDStart)
            self.lines.set(hex: low, at: Self.traceIDStart &+ 16)
        }
    }

    /// Makes an id for a request whose head could not be read. It has no trace.
    public mutating func assignNew() {
        self.keptRequestID = false
        self.keptTrace = false
        self.hasTrace = false
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

    /// Appends the header lines that are not kept from the client.
    public mutating func appendLines(to output: inout [UInt8]) {
        let makesTrace = self.hasTrace && !self.keptTrace
        if makesTrace { self.lines.set(hex: self.random.next().0 | 1, at: Self.parentStart) }
        let lines = self.lines.span.bytes
        let start = self.keptRequestID ? Self.traceLineStart : 0
        let end = makesTrace ? lines.byteCount : Self.traceLineStart
        if start < end { output.append(lines.extracting(start..<end)) }
    }

    static func isAcceptableRequestID(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        guard range.count >= 1, range.count <= 128 else { return false }
        for i in range.range where !isHostCharacter(bytes.byte(i)) { return false }
        return true
    }

    /// W3C trace context section 3.2: `00-<32 hex>-<16 hex>-<2 hex>`, lower-case, neither id all zeros; a higher
    /// version may go on after another `-`; version ff is invalid.
    static func isTraceparent(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        guard range.count >= 55, range.count <= 512 else { return false }
        let text = bytes.slice(range)
        func isLowerHex(_ i: Int) -> Bool {
            let byte = text.byte(i)
            return isDigit(byte) || byte &- UInt8(ascii: "a") < 6
        }
        var anyTrace = false
        var anyParent = false
        for i in 0..<55 {
            switch i {
            case 2, 35, 52:
                guard text.byte(i) == UInt8(ascii: "-") else { return false }
            default:
                guard isLowerHex(i) else { return false }
                if i >= 3, i < 35, text.byte(i) != UInt8(ascii: "0") { anyTrace = true }
                if i >= 36, i < 52, text.byte(i) != UInt8(ascii: "0") { anyParent = true }
            }
        }
        guard anyTrace, anyParent else { return false }
        let version = text.extracting(0..<2)
        if version.equals("ff") { return false }
        if version.equals("00") { return range.count == 55 }
        return range.count == 55 || text.byte(55) == UInt8(ascii: "-")
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
