import PosternCore
import Testing

@testable import PosternProxy

@Suite struct WebSocketKeyTests {
    @Test("the answer to a key is that of RFC 6455 section 1.3")
    func vector() {
        let answer = WebSocketKey.accept(Array("dGhlIHNhbXBsZSBub25jZQ==".utf8))
        #expect(String(decoding: answer, as: UTF8.self) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("keys are sixteen bytes in base64, as a handshake needs them, and never the same")
    func keys() {
        var seen: Set<[UInt8]> = []
        for _ in 0..<200 {
            let key = WebSocketKey.make()
            #expect(key.count == 24 && key.suffix(2) == Array("==".utf8))
            let text = Self.urlSafe(key)
            #expect(Base64URL.decode(text.span.bytes)?.count == 16)
            seen.insert(key)
        }
        #expect(seen.count == 200)
    }

    private static func urlSafe(_ key: [UInt8]) -> [UInt8] {
        key.dropLast(2).map {
            $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0
        }
    }
}
