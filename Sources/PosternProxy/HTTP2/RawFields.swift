import NIOHPACK
import NIOHTTP2
import PosternCore

/// Fields that HEADERS frames get behind those that the library has encoded: `FieldBlock` writes them for a part of what it costs
/// the library, to which every field is two strings, a look into its tables and the Huffman code.
///
/// A frame has to find its fields again on its way from the stream to the connection, wherever the library may hold it up. The key
/// goes with it as a priority (RFC 9113 section 5.3.2), which the proxy gives no stream, and is taken out again.
struct RawFields {
    private var waiting: [(key: Int32, owner: ObjectIdentifier, fields: [UInt8])] = []
    private var lastKey: Int32 = 0

    private static let headers: UInt8 = 1
    private static let priority: UInt8 = 0x20
    private static let priorityLength = 5

    /// Keeps encoded fields for a frame. Returns what the frame is to have as its priority.
    ///
    /// - Parameter owner: whose frame it is.
    mutating func add(_ fields: [UInt8], of owner: AnyObject) -> HTTP2Frame.StreamPriorityData {
        self.lastKey = self.lastKey == .max ? 1 : self.lastKey &+ 1
        self.waiting.append((self.lastKey, ObjectIdentifier(owner), fields))
        return HTTP2Frame.StreamPriorityData(
            exclusive: false, dependency: HTTP2StreamID(self.lastKey), weight: 0)
    }

    /// Forgets the fields of frames that were never written.
    mutating func remove(of owner: AnyObject) {
        guard !self.waiting.isEmpty else { return }
        self.waiting.removeAll { $0.owner == ObjectIdentifier(owner) }
    }

    /// What becomes of a frame.
    enum Frame {
        /// It is no frame that gets fields.
        case other
        /// It goes out like this.
        case whole([UInt8])
        /// Its fields are not known any more.
        case lost
    }

    /// Puts the fields of a frame into it, if it is one that gets some.
    mutating func take(for frame: RawSpan) -> Frame {
        let start = LargeFrame.headerLength
        guard frame.byteCount >= start + Self.priorityLength, frame.byte(3) == Self.headers,
            frame.byte(4) & Self.priority != 0
        else { return .other }
        let key = (start..<start + 4).reduce(Int32(0)) { $0 &<< 8 | Int32(frame.byte($1)) }
        guard let place = self.waiting.firstIndex(where: { $0.key == key }) else { return .lost }
        let fields = self.waiting.remove(at: place).fields
        let encoded = frame.extracting((start + Self.priorityLength)..<frame.byteCount)
        let length = encoded.byteCount + fields.count
        var whole: [UInt8] = []
        whole.reserveCapacity(start + length)
        whole.append(UInt8(truncatingIfNeeded: length >> 16))
        whole.append(UInt8(truncatingIfNeeded: length >> 8))
        whole.append(UInt8(truncatingIfNeeded: length))
        whole.append(Self.headers)
        whole.append(frame.byte(4) & ~Self.priority)
        whole.append(frame.extracting(5..<start))
        whole.append(encoded)
        whole.append(contentsOf: fields)
        return .whole(whole)
    }
}
