/// Follows the frames of a client's connection as far as it takes to know whether a field section is unfinished: until it is
/// complete there is no stream, and nobody but the connection can be given a time for it.
public struct DownstreamFrameWatch: Equatable, Sendable {
    /// Bytes of the connection preface (RFC 9113 section 3.4) that are still to come.
    private var prefaceLeft: Int
    /// The frame header that is being read: its bytes so far, the last one lowest, and how many.
    private var header: (high: UInt64, count: Int) = (0, 0)
    private var typeAndFlags: UInt16 = 0
    private var payloadLeft = 0
    private var inPayload = false

    /// Whether a field section has begun and is not complete.
    public private(set) var isInHead = false
    /// Field sections that were complete.
    public private(set) var heads = 0
    /// WINDOW_UPDATE frames.
    public private(set) var windowUpdates = 0
    private static let windowUpdate: UInt16 = 8

    public init(preface: Int = 24) {
        self.prefaceLeft = preface
    }

    /// Follows more bytes. Payloads are passed over: the cost is one step a frame.
    public mutating func take(_ bytes: RawSpan) {
        var i = min(self.prefaceLeft, bytes.byteCount)
        self.prefaceLeft &-= i
        while i < bytes.byteCount {
            if self.inPayload {
                let step = min(self.payloadLeft, bytes.byteCount &- i)
                self.payloadLeft &-= step
                i &+= step
                if self.payloadLeft == 0 { self.frameEnded() }
            } else {
                self.headerByte(bytes.byte(i))
                i &+= 1
            }
        }
    }

    /// Takes one of the nine bytes of a frame header: length (24 bits), type, flags, stream.
    private mutating func headerByte(_ byte: UInt8) {
        if self.header.count < 5 { self.header.high = self.header.high &<< 8 | UInt64(byte) }
        self.header.count &+= 1
        guard self.header.count == 9 else { return }
        self.payloadLeft = Int(truncatingIfNeeded: self.header.high &>> 16)
        self.typeAndFlags = UInt16(truncatingIfNeeded: self.header.high)
        self.header = (0, 0)
        self.inPayload = true
        if self.isFieldFrame { self.isInHead = true }
        if self.typeAndFlags &>> 8 == Self.windowUpdate { self.windowUpdates &+= 1 }
        if self.payloadLeft == 0 { self.frameEnded() }
    }

    private mutating func frameEnded() {
        self.inPayload = false
        guard self.isFieldFrame, self.typeAndFlags & 0x4 != 0 else { return }
        self.isInHead = false
        self.heads &+= 1
    }

    /// HEADERS or CONTINUATION (RFC 9113 sections 6.2 and 6.10).
    private var isFieldFrame: Bool { self.typeAndFlags &>> 8 == 1 || self.typeAndFlags &>> 8 == 9 }

    public static func == (one: Self, other: Self) -> Bool {
        one.prefaceLeft == other.prefaceLeft && one.header == other.header && one.typeAndFlags == other.typeAndFlags
            && one.payloadLeft == other.payloadLeft && one.inPayload == other.inPayload
            && one.isInHead == other.isInHead && one.heads == other.heads
            && one.windowUpdates == other.windowUpdates
    }
}
