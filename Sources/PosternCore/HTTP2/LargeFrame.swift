/// A frame that is larger than what every peer takes, in pieces that are not (RFC 9113 section 4.2): content in several DATA
/// frames, a field section in a HEADERS frame and CONTINUATION frames behind it (section 6.10).
///
/// The library that writes frames makes one of what it is given, whatever its size, if the peer's settings allow it
/// (`SettingsFrames`); what goes over the wire is made of that here, whatever the peer allows.
public struct LargeFrame: Equatable, Sendable {
    /// The longest payload of a frame that no peer may refuse (SETTINGS_MAX_FRAME_SIZE, section 6.5.2).
    public static let longestPayload = 16_384
    /// Bytes of a frame header.
    public static let headerLength = 9

    /// Bytes of its payload.
    public let length: Int
    /// Whether it is DATA: its payload is content.
    public var isContent: Bool { self.type == Self.data }

    private let type: UInt8
    private let flags: UInt8
    private let stream: UInt32

    private static let data: UInt8 = 0
    private static let headers: UInt8 = 1
    private static let continuation: UInt8 = 9
    private static let endStream: UInt8 = 0x1
    private static let endHeaders: UInt8 = 0x4

    /// - Parameter frame: begins with a frame header.
    /// - Returns: nil for a frame that can be sent as it is, which is nearly every one, and for one of another type.
    @inlinable
    public init?(_ frame: RawSpan) {
        // Two of three bytes of the length say enough for most.
        guard frame.byteCount >= 9, frame.byte(0) != 0 || frame.byte(1) >= 0x40 else { return nil }
        self.init(header: frame)
    }

    @usableFromInline
    init?(header: RawSpan) {
        self.length = Int(header.byte(0)) &<< 16 | Int(header.byte(1)) &<< 8 | Int(header.byte(2))
        self.type = header.byte(3)
        self.flags = header.byte(4)
        self.stream = (5..<9).reduce(0) { $0 &<< 8 | UInt32(header.byte($1)) }
        guard self.length > Self.longestPayload, self.type == Self.data || self.type == Self.headers else { return nil }
    }

    /// Where the pieces begin in the payload.
    public var starts: StrideTo<Int> { stride(from: 0, to: self.length, by: Self.longestPayload) }

    /// How many bytes of the payload the piece from `start` has.
    public func count(from start: Int) -> Int { min(Self.longestPayload, self.length &- start) }

    /// The header of the piece from `start`.
    public func header(from start: Int) -> [UInt8] {
        let count = self.count(from: start)
        let isLast = start &+ count == self.length
        var type = self.type
        var flags = self.flags
        if self.isContent {
            if !isLast { flags &= ~Self.endStream }
        } else if start == 0 {
            flags &= ~Self.endHeaders
        } else {
            type = Self.continuation
            flags = isLast ? Self.endHeaders : 0
        }
        var header: [UInt8] = [0, UInt8(count &>> 8), UInt8(count & 0xFF), type, flags]
        for shift in [24, 16, 8, 0] { header.append(UInt8(truncatingIfNeeded: self.stream &>> UInt32(shift))) }
        return header
    }
}
