import PosternCore
import Testing

@Suite struct JSONObjectWriterTests {
    @Test("Members are written in their order, and a reader gets back what was written")
    func members() throws {
        let texts = [
            "", "plain", "a \"quoted\" \\ text", "line\nend\r\t", "\u{0}\u{1F}\u{7F}", "żółć 🚀", "0123456\"",
            "01234567\u{8}",
        ]
        var writer = JSONObjectWriter()
        writer.add("first", texts[2])
        writer.add("number", -42)
        writer.add("yes", true)
        writer.add("no", false)
        writer.add("none", [String]())
        writer.add("texts", texts)
        writer.add("joined", joined: texts)
        writer.add("nothing", joined: [])
        writer.add("plain", plain: "e30.A-z_4ME.")
        let bytes = writer.finished()
        let value = try JSONReader.parse(bytes.span.bytes)
        guard case .object(let members) = value else {
            Issue.record("not an object")
            return
        }
        #expect(members.map(\.name) == ["first", "number", "yes", "no", "none", "texts", "joined", "nothing", "plain"])
        #expect(value["first"] == .string(texts[2]) && value["number"] == .number(-42, text: "-42"))
        #expect(value["yes"] == .bool(true) && value["no"] == .bool(false) && value["none"] == .array([]))
        #expect(value["texts"] == .array(texts.map { .string($0) }))
        #expect(value["joined"] == .string(texts.joined(separator: " ")) && value["nothing"] == .string(""))
        #expect(value["plain"] == .string("e30.A-z_4ME."))
        #expect(value.serializedBytes() == bytes)
    }

    @Test("An object without members")
    func empty() {
        #expect(JSONObjectWriter().finished() == Array("{}".utf8))
    }

    @Test(
        "Every character that must be escaped is found, wherever it stands",
        arguments: [0x00, 0x1F, 0x22, 0x5C] as [UInt8])
    func places(character: UInt8) throws {
        for length in 1...40 {
            for place in 0..<length {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                bytes[place] = character
                let text = String(decoding: bytes, as: UTF8.self)
                let written = JSONValue.string(text).serializedBytes()
                #expect(written.count > length + 2)
                #expect(try JSONReader.parse(written.span.bytes) == .string(text))
            }
        }
    }
}
