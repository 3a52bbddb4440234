import PosternCore
import Testing

@Suite struct LargeFrameTests {
    private static func header(_ length: Int, _ type: UInt8, _ flags: UInt8) -> [UInt8] {
        [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags, 1, 2, 3, 4]
    }

    /// The pieces' headers, each with how many bytes of the payload follow it.
    private static func pieces(_ length: Int, _ type: UInt8, _ flags: UInt8) -> [[UInt8]]? {
        let header = Self.header(length, type, flags)
        guard let frame = LargeFrame(header.span.bytes) else { return nil }
        #expect(frame.length == length)
        #expect(frame.starts.reduce(0) { $0 + frame.count(from: $1) } == length)
        return frame.starts.map { frame.header(from: $0) }
    }

    @Test("a frame that every peer takes stays as it is, and so does one of another type")
    func whole() {
        for length in [0, 1, 255, 16_383, 16_384] {
            #expect(Self.pieces(length, 0, 1) == nil && Self.pieces(length, 1, 5) == nil)
        }
        #expect(Self.pieces(40_000, 4, 0) == nil)
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        #expect(LargeFrame(preface.span.bytes) == nil)
        let short: [UInt8] = [1, 0, 0, 1]
        #expect(LargeFrame(short.span.bytes) == nil)
    }

    @Test("content becomes DATA frames, the last of which ends the stream")
    func content() {
        #expect(Self.pieces(16_385, 0, 1) == [Self.header(16_384, 0, 0), Self.header(1, 0, 1)])
        #expect(Self.pieces(32_768, 0, 0) == [Self.header(16_384, 0, 0), Self.header(16_384, 0, 0)])
        #expect(
            Self.pieces(70_000, 0, 1)
                == Array(repeating: Self.header(16_384, 0, 0), count: 4) + [Self.header(4_464, 0, 1)])
    }

    @Test(
        "a field section goes on in CONTINUATION frames; HEADERS says whether the stream ends, the last one that they do"
    )
    func fields() {
        #expect(Self.pieces(16_385, 1, 5) == [Self.header(16_384, 1, 1), Self.header(1, 9, 4)])
        #expect(
            Self.pieces(40_000, 1, 4)
                == [Self.header(16_384, 1, 0), Self.header(16_384, 9, 0), Self.header(7_232, 9, 4)])
    }
}
