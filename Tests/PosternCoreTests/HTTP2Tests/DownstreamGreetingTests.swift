import PosternCore
import Testing

@Suite struct DownstreamGreetingTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]

    private static func find(_ bytes: [UInt8]) -> DownstreamGreeting.Outcome {
        DownstreamGreeting.find(bytes.span.bytes)
    }

    @Test("it ends behind the settings, at every cut")
    func greeting() {
        let bytes = Self.preface + Self.settings
        for count in 0..<bytes.count { #expect(Self.find(Array(bytes[..<count])) == .incomplete, "\(count) bytes") }
        #expect(Self.find(bytes) == .complete(bytes.count))
        #expect(Self.find(bytes + [0, 0, 1, 1]) == .complete(bytes.count))
        #expect(Self.find(Self.preface + [0, 0, 0, 4, 0, 0, 0, 0, 0]) == .complete(33))
    }

    @Test("what is none is found out at the first byte that is wrong")
    func malformed() {
        for place in Self.preface.indices {
            var bytes = Array(Self.preface[...place])
            bytes[place] ^= 1
            #expect(Self.find(bytes) == .malformed)
        }
        #expect(Self.find(Self.preface + [0, 0, 0, 1, 0, 0, 0, 0, 1]) == .malformed)
        #expect(Self.find(Self.preface + [0, 0, 0, 4, 1, 0, 0, 0, 0]) == .malformed)
        #expect(Self.find(Self.preface + [1, 0, 0, 4, 0, 0, 0, 0, 0]) == .malformed)
    }
}
