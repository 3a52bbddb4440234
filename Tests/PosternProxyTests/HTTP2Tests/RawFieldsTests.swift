import NIOHTTP2
import PosternCore
import Testing

@testable import PosternProxy

@Suite struct RawFieldsTests {
    private final class Owner {}

    /// A HEADERS frame of stream 5 that ends it, as the library writes it.
    private static func frame(_ key: HTTP2Frame.StreamPriorityData, _ encoded: [UInt8]) -> [UInt8] {
        let dependency = UInt32(truncatingIfNeeded: Int(key.dependency))
        let key = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: dependency >> UInt32($0)) } + [0]
        return [0, 0, UInt8(5 + encoded.count), 1, 0x25, 0, 0, 0, 5] + key + encoded
    }

    private static func whole(_ fields: inout RawFields, _ frame: [UInt8]) -> [UInt8]? {
        guard case .whole(let whole) = fields.take(for: frame.span.bytes) else { return nil }
        return whole
    }

    @Test("a frame gets its own fields, whichever is written first, and no priority")
    func own() {
        var fields = RawFields()
        let owner = Owner()
        let first = Self.frame(fields.add([1, 2, 3], of: owner), [0x88])
        let second = Self.frame(fields.add([], of: owner), [])
        let third = Self.frame(fields.add([UInt8](repeating: 9, count: 70_000), of: owner), [0x89])
        #expect(Self.whole(&fields, second) == [0, 0, 0, 1, 5, 0, 0, 0, 5])
        #expect(Self.whole(&fields, first) == [0, 0, 4, 1, 5, 0, 0, 0, 5, 0x88, 1, 2, 3])
        #expect(Self.whole(&fields, third)?.prefix(10) == [1, 0x11, 0x71, 1, 5, 0, 0, 0, 5, 0x89])
        // Once.
        #expect(Self.whole(&fields, first) == nil)
    }

    @Test("other frames stay as they are")
    func others() {
        var fields = RawFields()
        _ = fields.add([1], of: Owner())
        let frames: [[UInt8]] = [
            [], [0, 0, 1, 1, 5, 0, 0, 0, 5, 0x88], [0, 0, 5, 0, 0x25, 0, 0, 0, 5, 0, 0, 0, 1, 0],
            [0, 0, 0, 4, 0, 0, 0, 0, 0],
        ]
        for frame in frames {
            guard case .other = fields.take(for: frame.span.bytes) else {
                Issue.record("\(frame)")
                continue
            }
        }
    }

    @Test("what nobody waits for any more is lost, and only that")
    func forgotten() {
        var fields = RawFields()
        let (one, other) = (Owner(), Owner())
        let gone = Self.frame(fields.add([1], of: one), [])
        let kept = Self.frame(fields.add([2], of: other), [])
        fields.remove(of: one)
        guard case .lost = fields.take(for: gone.span.bytes) else { return #expect(Bool(false)) }
        #expect(Self.whole(&fields, kept) == [0, 0, 1, 1, 5, 0, 0, 0, 5, 2])
    }
}
