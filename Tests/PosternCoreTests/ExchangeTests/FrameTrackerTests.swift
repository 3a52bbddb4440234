import Testing

@testable import PosternCore

@Suite struct FrameTrackerTests {
    /// A frame as RFC 6455 section 5.2 draws it.
    static func frame(_ opcode: UInt8, _ count: Int, final: Bool = true, masked: Bool = false, wide: Int = 0) -> [UInt8]
    {
        var bytes: [UInt8] = [(final ? 0x80 : 0) | opcode]
        let mask: UInt8 = masked ? 0x80 : 0
        if wide == 8 || count > 0xFFFF {
            bytes.append(mask | 127)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
        } else if wide == 2 || count > 125 {
            bytes += [mask | 126, UInt8(count >> 8), UInt8(count & 0xFF)]
        } else {
            bytes.append(mask | UInt8(count))
        }
        if masked { bytes += [0x81, 0x88, 0xFF, 0x7F] }
        // Payload that looks like Close frames.
        return bytes + (0..<count).map { $0 % 2 == 0 ? 0x88 : 0x00 }
    }

    private static let frames: [[UInt8]] = [
        frame(1, 0), frame(1, 5), frame(2, 125, masked: true), frame(1, 126), frame(0, 300, masked: true),
        frame(9, 4, masked: true), frame(10, 0), frame(2, 3, wide: 2), frame(2, 2, masked: true, wide: 8),
        frame(2, 0, masked: true), frame(1, 0, final: false), frame(2, 0, wide: 8),
    ]

    @Test("a boundary is after each frame and nowhere else, one byte at a time")
    func bytewise() {
        var tracker = FrameTracker()
        #expect(tracker.isAtBoundary)
        for frame in Self.frames {
            for (index, byte) in frame.enumerated() {
                let one = [byte]
                tracker.take(one.span.bytes)
                #expect(tracker.isAtBoundary == (index == frame.count - 1))
            }
            #expect(!tracker.sawClose && !tracker.isLost)
        }
    }

    @Test("cut into two at every point, the end says the same and the first part stops at the frame's end")
    func everySplit() {
        let bytes = Array(Self.frames.joined())
        var ends: Set<Int> = [0]
        for frame in Self.frames { ends.insert((ends.max() ?? 0) + frame.count) }
        for cut in 0...bytes.count {
            let (first, second) = (Array(bytes[..<cut]), Array(bytes[cut...]))
            var tracker = FrameTracker()
            tracker.take(first.span.bytes)
            #expect(tracker.isAtBoundary == ends.contains(cut))
            var rest = tracker
            let end = second.isEmpty ? 0 : rest.takeToBoundary(second.span.bytes, from: 0)
            let next = ends.filter { $0 > cut }.min() ?? cut
            #expect(cut + end == next && (second.isEmpty || rest.isAtBoundary))
            tracker.take(second.span.bytes)
            #expect(tracker == FrameTracker.after(bytes))
        }
    }

    @Test("random frames in random parts have the boundaries that they were made with")
    func property() {
        var numbers = SeededNumbers(seed: 6455)
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            var ends: Set<Int> = [0]
            for _ in 0..<Int.random(in: 1...8, using: &numbers) {
                let count = numbers.pick([0, 1, 7, 125, 126, 127, 1000, 65_535, 65_536])
                bytes += Self.frame(
                    numbers.pick([0, 1, 2, 9, 10]), count, final: Bool.random(using: &numbers),
                    masked: Bool.random(using: &numbers), wide: numbers.pick([0, 8]))
                ends.insert(bytes.count)
            }
            var tracker = FrameTracker()
            var offset = 0
            while offset < bytes.count {
                let part = Array(bytes[offset..<min(bytes.count, offset + Int.random(in: 1...3000, using: &numbers))])
                var taken = 0
                while taken < part.count {
                    let before = taken
                    taken = tracker.takeToBoundary(part.span.bytes, from: taken)
                    #expect(taken > before && taken <= part.count)
                    #expect(tracker.isAtBoundary == ends.contains(offset + taken))
                }
                offset += part.count
            }
            #expect(tracker.isAtBoundary)
        }
    }

    @Test("any bytes at all end in a state, and all of them are taken")
    func noise() {
        var numbers = SeededNumbers(seed: 11)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 1...400, using: &numbers)).map { _ in
                UInt8.random(in: 0...255, using: &numbers)
            }
            var tracker = FrameTracker()
            var offset = 0
            while offset < bytes.count { offset = tracker.takeToBoundary(bytes.span.bytes, from: offset) }
            #expect(offset == bytes.count)
            #expect(tracker == FrameTracker.after(bytes))
        }
    }

    @Test("a Close frame is noticed with its first byte, and not in payload")
    func close() {
        #expect(FrameTracker.after([0x88]).sawClose)
        #expect(FrameTracker.after(Self.frame(8, 2, masked: true)).sawClose)
        #expect(!FrameTracker.after(Self.frame(2, 40)).sawClose)
    }

    @Test("a length with its highest bit set is no frame, and nothing after it is")
    func lost() {
        var tracker = FrameTracker()
        let bytes: [UInt8] = [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]
        #expect(tracker.takeToBoundary(bytes.span.bytes, from: 0) == bytes.count)
        #expect(tracker.isLost && !tracker.isAtBoundary)
        tracker.take(Self.frame(1, 3).span.bytes)
        #expect(tracker.isLost && !tracker.isAtBoundary)
    }

    @Test("the longest length there is does not trap")
    func longest() {
        var tracker = FrameTracker()
        tracker.take(([0x82, 0xFF, 0x7F] + [UInt8](repeating: 0xFF, count: 11)).span.bytes)
        tracker.take([UInt8](repeating: 0, count: 1000).span.bytes)
        #expect(!tracker.isLost && !tracker.isAtBoundary)
    }

    @Test("Close frames are those of RFC 6455 section 5.5.1, masked byte by byte")
    func closeFrames() {
        let plain = CloseFrame.bytes(code: 1008, reason: "token expired", mask: nil)
        #expect(plain == [0x88, 15, 0x03, 0xF0] + Array("token expired".utf8))
        let masked = CloseFrame.bytes(code: 1001, reason: "abc", mask: 0x0102_0304)
        let expected: [UInt8] = [0x88, 0x85, 1, 2, 3, 4, 0x02, 0xEB, 0x62, 0x66, 0x62]
        #expect(masked == expected)
        for end in Tunnel.End.allCases {
            let frame = CloseFrame.bytes(code: end.closing.code, reason: end.closing.reason, mask: 7)
            #expect(FrameTracker.after(frame).isAtBoundary && frame.count <= 131)
        }
    }
}

extension FrameTracker {
    fileprivate static func after(_ bytes: [UInt8]) -> FrameTracker {
        var tracker = FrameTracker()
        tracker.take(bytes.span.bytes)
        return tracker
    }
}
