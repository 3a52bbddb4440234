import PosternCore
import Testing

@Suite struct DownstreamFrameWatchTests {
    private static func frame(_ type: UInt8, _ flags: UInt8, _ payload: Int) -> [UInt8] {
        [UInt8(payload >> 16), UInt8(payload >> 8 & 255), UInt8(payload & 255), type, flags, 0, 0, 0, 1]
            // Bytes that would be frame headers if a payload were read as one.
            + (0..<payload).map { UInt8($0 % 9 == 3 ? 1 : 0) }
    }
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    @Test(
        "a field section is unfinished from its first frame header to the end of the frame that says so, at every cut")
    func follows() {
        let before = Self.preface + Self.frame(4, 0, 18) + Self.frame(0, 0, 40)
        let section = Self.frame(1, 0x1, 20) + Self.frame(9, 0, 0) + Self.frame(9, 0x4, 10)
        let after = Self.frame(8, 0, 4) + Self.frame(1, 0x4, 0) + Self.frame(0, 0x1, 12)
        let all = before + section + after
        for cut in 0...all.count {
            var watch = DownstreamFrameWatch()
            watch.take(all.span.bytes.extracting(0..<cut))
            let inHead = cut >= before.count + 9 && cut < before.count + section.count
            #expect(watch.isInHead == inHead, "at \(cut)")
            watch.take(all.span.bytes.extracting(cut..<all.count))
            #expect(!watch.isInHead)
            #expect(watch.heads == 2)
        }
        var dripped = DownstreamFrameWatch()
        for i in all.indices { dripped.take(all.span.bytes.extracting(i..<(i + 1))) }
        var whole = DownstreamFrameWatch()
        whole.take(all.span.bytes)
        #expect(dripped == whole)
    }

    @Test("a flag of another frame ends no field section")
    func otherFrames() {
        var watch = DownstreamFrameWatch(preface: 0)
        let bytes = Self.frame(1, 0, 4) + Self.frame(0, 0x4, 4) + Self.frame(6, 0x4, 8)
        watch.take(bytes.span.bytes)
        #expect(watch.isInHead)
        #expect(watch.heads == 0)
    }
}
