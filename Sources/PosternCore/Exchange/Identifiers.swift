/// The ids of one request: `X-Request-Id` and the W3C trace context, kept from the client where they are acceptable,
/// made otherwise.
///
/// Reused from request to request; nothing is allocated once its buffers have grown.
public struct Identifiers: Sendable {
    /// 1 to 128 of `[A-Za-z0-9._-]`.
    public private(set) var requestID: [UInt8] = []
    /// The 32 hexadecimal digits of the trace.
    public private(set) var traceID: [UInt8] = []
    /// Whether the client's own header is kept as it is.
    public private(set) var keptRequestID = false
    public private(set) var keptTrace = false
    private var random: IdentifierSource

    public init(random: IdentifierSource) {
        self.random = random
    }

    /// Takes or makes the ids for a request whose head could be read.
    public mutating func assign(_ bytes: RawSpan, _ head: RequestHead) {
        self.requestID.removeAll(keepingCapacity: true)
        self.traceID.removeAll(keepingCapacity: true)
        self.keptRequestID = Self.isAcceptableRequestID(bytes, head.requestID)
        self.keptTrace = Self.isTraceparent(bytes, head.traceparent)
        let (high, low) = self.random.next()
        if self.keptRequestID {
            self.requestID.append(bytes.slice(head.requestID))
        } else {
            self.requestID.append(hex: high)
            self.requestID.append(hex: low)
        }
        if self.keptTrace {
            let start = Int(head.traceparent.start) &+ 3
            self.traceID.append(bytes.extracting(start..<(start &+ 32)))
        } else {
            self.traceID.append(hex: high)
            self.traceID.append(hex: low)
        }
    }

    /// Makes an id for a request whose head could not be read.
    public mutating func assignNew() {
        self.requestID.removeAll(keepingCapacity: true)
        self.traceID.removeAll(keepingCapacity: true)
        self.keptRequestID = false
        self.keptTrace = false
        let (high, low) = self.random.next()
        self.requestID.append(hex: high)
        self.requestID.append(hex: low)
    }

    /// Appends the header lines that are not kept from the client.
    public mutating func appendLines(to output: inout [UInt8]) {
        if !self.keptRequestID {
            output.append("X-Request-Id: ")
            output.append(contentsOf: self.requestID)
            output.append("\r\n")
        }
        if !self.keptTrace {
            // W3C trace context section 3.2: version, trace, parent, flags (nothing is recorded here).
            output.append("traceparent: 00-")
            output.append(contentsOf: self.traceID)
            output.append(UInt8(ascii: "-"))
            output.append(hex: self.random.next().0 | 1)
            output.append("-00\r\n")
        }
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
