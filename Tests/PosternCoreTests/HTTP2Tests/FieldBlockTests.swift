import PosternCore
import Testing

@Suite struct FieldBlockTests {
    private static func length(_ length: Int) -> [UInt8] {
        if length < 127 { return [UInt8(length)] }
        if length < 255 { return [127, UInt8(length - 127)] }
        return [127, UInt8((length - 127) & 127 | 128), UInt8((length - 127) >> 7)]
    }

    @Test("a field that is no text is written as it is, its name in lower case")
    func raw() {
        var output: [UInt8] = []
        let name = Array("X-Name".utf8)
        for count in [0, 5, 126, 127, 128, 254, 255, 20_000] {
            let value = [UInt8](repeating: 0xE9, count: count)
            output = []
            FieldBlock.append(name.span.bytes, value.span.bytes, to: &output)
            var length = Self.length(count)
            if count == 20_000 { length = [127, 0xA1, 0x9B, 0x01] }
            #expect(output == [0, 6] + Array("x-name".utf8) + length + value)
        }
    }
}
