import PosternCore
import Testing

@Suite struct SettingsFramesTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private static func frame(_ payload: [UInt8], type: UInt8 = 4, flags: UInt8 = 0) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, 0] + payload
    }

    private static func entry(_ id: UInt8, _ value: UInt32) -> [UInt8] {
        [0, id] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static func raised(_ bytes: [UInt8], from start: Int = 0, wasSaid: Bool = false) -> [UInt8] {
        var bytes = bytes
        var wasSaid = wasSaid
        SettingsFrames.allowLargeFrames(in: &bytes, from: start, wasSaid: &wasSaid)
        return bytes
    }

    private static let large = Self.entry(5, 0xFF_FFFF)

    @Test("the first settings get the largest frame size, whether or not they have one")
    func first() {
        #expect(Self.raised(Self.preface + Self.frame([]), from: 24) == Self.preface + Self.frame(Self.large))
        let others = Self.entry(3, 7) + Self.entry(4, 70_000)
        #expect(Self.raised(Self.frame(others)) == Self.frame(others + Self.large))
        #expect(Self.raised(Self.frame(Self.entry(5, 16_384) + others)) == Self.frame(Self.large + others))
        // As long as its length has one byte only, and a little longer.
        let many = [[UInt8]](repeating: Self.entry(1, 0), count: 42).flatMap(\.self)
        #expect(Self.raised(Self.frame(many)) == Self.frame(many + Self.large))
    }

    @Test("later settings keep it; only those that name a frame size are changed")
    func later() {
        let frames = Self.frame(Self.entry(3, 7)) + Self.frame([1, 2, 3], type: 0) + Self.frame(Self.entry(5, 20_000))
        let changed = Self.frame(Self.entry(3, 7)) + Self.frame([1, 2, 3], type: 0) + Self.frame(Self.large)
        #expect(Self.raised(frames, wasSaid: true) == changed)
        let both = Self.frame(Self.entry(3, 7) + Self.large) + Self.frame([1, 2, 3], type: 0) + Self.frame(Self.large)
        #expect(Self.raised(frames) == both)
        // The rest of content that began before.
        #expect(Self.raised([4, 4, 4] + frames, from: 3, wasSaid: true) == [4, 4, 4] + changed)
    }

    @Test("what is wrong stays wrong, and an answer to settings is none")
    func others() {
        for entry in [Self.entry(5, 16_383), Self.entry(5, 0), Self.entry(5, 1 << 24)] {
            #expect(Self.raised(Self.frame(entry)) == Self.frame(entry))
        }
        for frame in [
            Self.frame([0, 5, 0, 0, 0x40]), Self.frame([], flags: 1), Self.frame([0, 5, 0, 0, 0x40, 0], type: 6),
            [0, 0, 6, 4],
            Array(Self.frame(Self.entry(5, 20_000)).dropLast()),
        ] {
            #expect(Self.raised(frame) == frame)
        }
        let full = Self.frame([[UInt8]](repeating: Self.entry(1, 0), count: 2_730).flatMap(\.self))
        #expect(Self.raised(full) == full, "one more, and it would be no valid frame")
    }

    @Test("another number of streams is announced")
    func streams() {
        var frame = Self.frame(Self.entry(6, 9) + Self.entry(3, 200) + Self.entry(8, 1))
        SettingsFrames.announce(streams: 100, in: &frame)
        #expect(frame == Self.frame(Self.entry(6, 9) + Self.entry(3, 100) + Self.entry(8, 1)))
    }
}
