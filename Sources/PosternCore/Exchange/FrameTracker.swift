/// Follows the frames of one direction of a WebSocket (RFC 6455 section 5.2) as far as to know where one ends and the next
/// begins. It looks at headers alone; payload is skipped, masked or not.
public struct FrameTracker: Equatable, Sendable {
    /// Bytes of the present frame's header that came: its beginning, then its length, most significant byte first.
    private var headerCount = 0
    /// Bytes of the header in all; 2 until the second byte is known.
    private var headerSize = 2
    private var length: UInt64 = 0
    private var lengthSize = 0
    /// Bytes of the present frame's payload that are yet to come.
    private var payloadLeft: UInt64 = 0
    /// Whether a Close frame has begun: nothing may follow it.
    public private(set) var sawClose = false
    /// Whether something came that is no frame (section 5.2: the highest bit of a length is 0): there are no boundaries
    /// any more.
    public private(set) var isLost = false

    public init() {}

    /// Whether a frame could begin with the next byte, and another's may be put before it.
    public var isAtBoundary: Bool { self.headerCount == 0 && self.payloadLeft == 0 && !self.isLost }

    /// Takes all bytes.
    public mutating func take(_ bytes: RawSpan) {
        var offset = 0
        while offset < bytes.byteCount { offset = self.takeToBoundary(bytes, from: offset) }
    }

    /// Takes bytes up to the end of the present frame, or all of them if it ends later.
    ///
    /// - Returns: the offset after the last byte taken, always more than `offset`; all is taken where there are no
    ///   boundaries.
    public mutating func takeToBoundary(_ bytes: RawSpan, from offset: Int) -> Int {
        let end = bytes.byteCount
        guard !self.isLost else { return end }
        var offset = offset
        while self.payloadLeft == 0, offset < end {
            self.takeHeader(bytes.byte(offset))
            offset &+= 1
            if self.isLost { return end }
            if self.headerCount == 0, self.payloadLeft == 0 { return offset }
        }
        let count = min(UInt64(end &- offset), self.payloadLeft)
        self.payloadLeft &-= count
        return offset &+ Int(count)
    }

    private mutating func takeHeader(_ byte: UInt8) {
        switch self.headerCount {
        case 0:
            if byte & 0x0F == 8 { self.sawClose = true }
        case 1:
            let short = byte & 0x7F
            self.lengthSize = short == 127 ? 8 : short == 126 ? 2 : 0
            self.length = self.lengthSize == 0 ? UInt64(short) : 0
            self.headerSize = 2 &+ self.lengthSize &+ (byte & 0x80 == 0 ? 0 : 4)
        case 2..<(2 &+ self.lengthSize):
            self.length = self.length &<< 8 | UInt64(byte)
        default:
            // The masking key.
            break
        }
        self.headerCount &+= 1
        guard self.headerCount == self.headerSize, self.headerCount >= 2 else { return }
        if self.length >> 63 != 0 { self.isLost = true }
        self.payloadLeft = self.length
        self.headerCount = 0
        self.headerSize = 2
    }
}

/// A Close frame (RFC 6455 section 5.5.1).
public enum CloseFrame {
    /// Status codes (section 7.4.1).
    public static let goingAway: UInt16 = 1001
    public static let policyViolation: UInt16 = 1008

    /// The frame's bytes.
    ///
    /// - Parameters:
    ///   - reason: at most 123 bytes of ASCII.
    ///   - mask: the masking key, fresh randomness, for what a client sends (section 5.3); nil for what a server sends.
    public static func bytes(code: UInt16, reason: StaticString, mask: UInt32?) -> [UInt8] {
        var payload = [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)]
        payload.append(reason)
        var frame: [UInt8] = [0x88, UInt8(truncatingIfNeeded: payload.count)]
        if let mask {
            frame[1] |= 0x80
            let key = (0..<4).map { UInt8(truncatingIfNeeded: mask >> (24 - 8 * UInt32($0))) }
            frame += key
            for i in payload.indices { payload[i] ^= key[i % 4] }
        }
        return frame + payload
    }
}
