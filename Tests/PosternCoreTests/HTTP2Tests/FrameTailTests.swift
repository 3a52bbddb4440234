import PosternCore
import Testing

@Suite struct FrameTailTests {
    private static func frame(_ type: UInt8, _ length: Int) -> [UInt8] {
        [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, 0, 0, 0, 0, 1]
            + [UInt8](repeating: 7, count: length)
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// How many bytes are unfinished after each number of bytes.
    private static func expected(_ frames: [(type: UInt8, length: Int)], preface: Int) -> [Int] {
        var result = [Int](repeating: 0, count: preface + 1)
        for frame in frames {
            for came in 1...(9 + frame.length) {
                let isWhole = came == 9 + frame.length
                let isContent = frame.type == 0 && came >= 9
                result.append(isWhole || isContent ? 0 : came)
            }
        }
        return result
    }

    private static func check(_ tail: inout FrameTail, _ bytes: some Sequence<UInt8>, _ expected: Int) {
        let bytes = Array(bytes)
        let unfinished = tail.take(bytes.span.bytes)
        #expect(unfinished == expected)
    }

    private static let frames: [(type: UInt8, length: Int)] = [
        (4, 0), (1, 30), (0, 20), (6, 8), (0, 0), (0x42, 5), (9, 1), (0, 1), (8, 4),
    ]

    @Test("wherever what came ends, the beginning of a frame is known, however it came")
    func everySplit() {
        for preface in [[], Self.preface] {
            let bytes = preface + Self.frames.flatMap { Self.frame($0.type, $0.length) }
            let expected = Self.expected(Self.frames, preface: preface.count)
            for first in 0...bytes.count {
                var tail = FrameTail(preface: preface.count)
                Self.check(&tail, bytes[..<first], expected[first])
                for second in [first, (first + bytes.count) / 2] {
                    var other = tail
                    Self.check(&other, bytes[first..<second], expected[second])
                    Self.check(&other, bytes[second...], 0)
                }
            }
            var drip = FrameTail(preface: preface.count)
            for (index, byte) in bytes.enumerated() {
                Self.check(&drip, [byte], expected[index + 1])
            }
        }
    }

    @Test("the longest frame is held, a longer one and all behind it is not")
    func longest() {
        for (length, held) in [(FrameTail.longestPayload, true), (FrameTail.longestPayload + 1, false)] {
            var tail = FrameTail(preface: 0)
            let bytes = Self.frame(1, length)
            Self.check(&tail, bytes[..<9], (held ? 9 : 0))
            Self.check(&tail, bytes[9..<(bytes.count - 1)], (held ? bytes.count - 1 : 0))
            Self.check(&tail, bytes[(bytes.count - 1)...], 0)
            Self.check(&tail, [0, 0, 1], (held ? 3 : 0))
        }
        var data = FrameTail(preface: 0)
        Self.check(&data, Self.frame(0, 16_000), 0)
    }

    @Test("SETTINGS are seen, and how much of what comes next is no frame is known")
    func settings() {
        var tail = FrameTail(preface: 24)
        #expect(tail.passing == 24)
        Self.check(&tail, Self.preface, 0)
        Self.check(&tail, Self.frame(0, 20)[..<15], 0)
        #expect(tail.passing == 14 && !tail.sawSettings)
        Self.check(&tail, [UInt8](repeating: 4, count: 14), 0)
        Self.check(&tail, Self.frame(4, 6)[..<8], 8)
        #expect(!tail.sawSettings && tail.passing == 0)
        Self.check(&tail, Self.frame(4, 6)[8...], 0)
        #expect(tail.sawSettings && tail.passing == 0)
        tail.sawSettings = false
        Self.check(&tail, Self.frame(6, 8), 0)
        #expect(!tail.sawSettings)
    }

    @Test("no bytes at all do not matter")
    func nothing() {
        var tail = FrameTail(preface: 24)
        Self.check(&tail, [], 0)
        #expect(tail == FrameTail(preface: 24))
    }
}
