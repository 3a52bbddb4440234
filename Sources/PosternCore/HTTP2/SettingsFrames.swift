/// Changes what SETTINGS frames (RFC 9113 section 6.5) say, between the wire and the library.
public enum SettingsFrames {
    private static let type: UInt8 = 4
    private static let acknowledgement: UInt8 = 0x1
    private static let entryLength = 6
    private static let maximumStreams: UInt16 = 3
    private static let frameSize: UInt16 = 5
    /// The largest value of SETTINGS_MAX_FRAME_SIZE.
    private static let largestFrame: UInt32 = 0xFF_FFFF

    /// Has a peer allow the largest frames, whatever it allows: what is written is cut by `LargeFrame`.
    ///
    /// - Parameters:
    ///   - bytes: whole frames, the last of which may be DATA that is not complete.
    ///   - start: where the first of them begins.
    ///   - wasSaid: whether the peer's first SETTINGS frame came, which is the one that the setting is added to. A value that
    ///     a setting cannot have stays, and so does a frame of a wrong length: both are errors of the connection.
    public static func allowLargeFrames(in bytes: inout [UInt8], from start: Int, wasSaid: inout Bool) {
        var place = start
        while place &+ 9 <= bytes.count {
            var length = Int(bytes[place]) &<< 16 | Int(bytes[place &+ 1]) &<< 8 | Int(bytes[place &+ 2])
            let isSettings = bytes[place &+ 3] == Self.type && bytes[place &+ 4] & Self.acknowledgement == 0
            let end = place &+ 9 &+ length
            if isSettings, end <= bytes.count, length.isMultiple(of: Self.entryLength) {
                let isThere = Self.set(Self.frameSize, in: &bytes, place &+ 9, end) { value in
                    16_384...Self.largestFrame ~= value ? Self.largestFrame : value
                }
                if !isThere, !wasSaid, length &+ Self.entryLength <= LargeFrame.longestPayload {
                    bytes.insert(contentsOf: [0, UInt8(Self.frameSize), 0, 0xFF, 0xFF, 0xFF], at: end)
                    length &+= Self.entryLength
                    bytes[place &+ 1] = UInt8(length &>> 8)
                    bytes[place &+ 2] = UInt8(length & 0xFF)
                }
                wasSaid = true
            }
            place &+= 9 &+ length
        }
    }

    /// Has a SETTINGS frame of ours announce so many streams at once (SETTINGS_MAX_CONCURRENT_STREAMS).
    ///
    /// - Parameter frame: one frame that says something of them.
    public static func announce(streams: UInt32, in frame: inout [UInt8]) {
        _ = Self.set(Self.maximumStreams, in: &frame, 9, frame.count) { _ in streams }
    }

    /// Sets each value of a setting in the entries from `start` to `end`. Returns whether there is one.
    private static func set(
        _ setting: UInt16, in bytes: inout [UInt8], _ start: Int, _ end: Int, to value: (UInt32) -> UInt32
    ) -> Bool {
        var isThere = false
        for entry in stride(from: start, to: end, by: Self.entryLength)
        where UInt16(bytes[entry]) &<< 8 | UInt16(bytes[entry &+ 1]) == setting {
            isThere = true
            let old = bytes[(entry &+ 2)..<(entry &+ 6)].reduce(0) { $0 &<< 8 | UInt32($1) }
            let new = value(old)
            for byte in 0..<4 { bytes[entry &+ 2 &+ byte] = UInt8(truncatingIfNeeded: new &>> UInt32(24 &- 8 &* byte)) }
        }
        return isThere
    }
}
