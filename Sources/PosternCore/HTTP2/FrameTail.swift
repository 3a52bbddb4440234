/// Follows the frames of an HTTP/2 connection (RFC 9113 section 4.1) and says how many of the bytes that came last are the
/// beginning of a frame that is not whole.
///
/// The library that reads frames keeps what it has not read behind what it has, in one buffer that is begun anew only when
/// nothing is left over. A peer whose packets never end where a frame does would have all that it ever sent kept there; so
/// such beginnings are held back until they are whole. Content of DATA frames is not: it is passed on as it comes.
public struct FrameTail: Equatable, Sendable {
    /// The longest payload that is held back: what a peer may send without being told otherwise (SETTINGS_MAX_FRAME_SIZE).
    /// A longer frame is no valid one, and is passed on for the library to say so.
    public static let longestPayload = 16_384
    private static let headerLength = 9
    private static let data: UInt8 = 0
    private static let settings: UInt8 = 4

    /// What comes next.
    private enum State: Equatable {
        /// So many bytes of the connection preface (section 3.4). Exit: `header`.
        case preface(left: Int)
        /// A frame header, of which so many bytes came: its length and type are in `length` and `type`. Exits: `payload`,
        /// `content`, `header`, `broken`.
        case header(count: Int)
        /// So many bytes of a payload that counts only whole. Exit: `header`.
        case payload(left: Int)
        /// So many bytes of content. Exit: `header`.
        case content(left: Int)
        /// A frame that is too long: nothing behind it is looked at.
        case broken
    }

    private var state: State
    private var length = 0
    private var type: UInt8 = 0
    /// Whether a SETTINGS frame began since this was last set to false.
    public var sawSettings = false

    /// - Parameter preface: bytes that come before the first frame: 24 from a client, none from a server.
    public init(preface: Int) {
        self.state = preface == 0 ? .header(count: 0) : .preface(left: preface)
    }

    /// Takes further bytes.
    ///
    /// - Returns: how many bytes at the end of all that came so far belong to a frame that is not whole; at most 9 + 16,384.
    public mutating func take(_ bytes: RawSpan) -> Int {
        var i = 0
        let count = bytes.byteCount
        while i < count {
            switch self.state {
            case .header(let known):
                self.headerByte(bytes.byte(i), known)
                i &+= 1
            case .preface(let left):
                let step = min(left, count &- i)
                self.state = step == left ? .header(count: 0) : .preface(left: left &- step)
                i &+= step
            case .payload(let left):
                let step = min(left, count &- i)
                self.state = step == left ? .header(count: 0) : .payload(left: left &- step)
                i &+= step
            case .content(let left):
                let step = min(left, count &- i)
                self.state = step == left ? .header(count: 0) : .content(left: left &- step)
                i &+= step
            case .broken:
                return 0
            }
        }
        return self.unfinished
    }

    /// How many of the next bytes are no frame of their own: the rest of the preface, or of content.
    public var passing: Int {
        switch self.state {
        case .preface(let left), .content(let left): left
        case .header, .payload, .broken: 0
        }
    }

    private mutating func headerByte(_ byte: UInt8, _ known: Int) {
        switch known {
        case 0: self.length = Int(byte)
        case 1, 2: self.length = self.length &<< 8 | Int(byte)
        case 3: self.type = byte
        default: break
        }
        guard known &+ 1 == Self.headerLength else {
            self.state = .header(count: known &+ 1)
            return
        }
        if self.type == Self.settings { self.sawSettings = true }
        if self.length > Self.longestPayload {
            self.state = .broken
        } else if self.length == 0 {
            self.state = .header(count: 0)
        } else {
            self.state = self.type == Self.data ? .content(left: self.length) : .payload(left: self.length)
        }
    }

    private var unfinished: Int {
        switch self.state {
        case .header(let count): count
        case .payload(let left): Self.headerLength &+ self.length &- left
        case .preface, .content, .broken: 0
        }
    }
}
