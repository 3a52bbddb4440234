import Testing

@testable import PosternCore

/// The binary encoding. That real decoders read the same is what the end-to-end tests show.
@Suite struct OTLPTests {
    private static let context = TraceContext(
        traceHigh: 0x0102_0304_0506_0708, traceLow: 0x090a_0b0c_0d0e_0f10, span: 0x1112_1314_1516_1718, isSampled: true)

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test func spanIsTheBytesOfItsFields() {
        var span = SpanRecord(
            context: Self.context, parent: 0xFF, parentIsRemote: true, state: Array("a=b".utf8), name: "GET /x",
            kind: .server, start: 1, end: 0x0100)
        span.attributes = ["n": .int(300), "b": .bool(false)]
        span.status = .error("no")
        #expect(
            Self.hex(OTLP.encode(span))
                == "0a100102030405060708090a0b0c0d0e0f10" + "12081112131415161718" + "1a03613d62"
                + "220800000000000000ff" + "2a06474554202f78" + "3002" + "390100000000000000" + "410001000000000000"
                + "4a070a016212021000" + "4a080a016e120318ac02" + "7a0612026e6f1802" + "850101030000")
    }

    @Test func spanWithoutAParentSaysNothingOfOne() {
        let span = SpanRecord(context: Self.context, name: "n", kind: .internal, start: 0, end: 0)
        let text = Self.hex(OTLP.encode(span))
        #expect(!text.contains("2208"))
        #expect(text.hasSuffix("850101010000"))
    }

    @Test func valuesOfAllKinds() {
        func value(_ value: SpanRecord.Value) -> String {
            var span = SpanRecord(context: Self.context, name: "", kind: .client, start: 0, end: 0)
            span.attributes = ["k": value]
            let text = Self.hex(OTLP.encode(span))
            let start = text.firstRange(of: "0a016b12")
            return start.map { String(text[$0.upperBound...].dropLast("850101010000".count)) } ?? text
        }
        #expect(value(.string("")) == "020a00")
        #expect(value(.string("é")) == "040a02c3a9")
        #expect(value(.bool(true)) == "021001")
        #expect(value(.int(-1)) == "0b18ffffffffffffffffff01")
        #expect(value(.int(0)) == "021800")
        #expect(value(.double(1)) == "0921000000000000f03f")
        #expect(value(.array([.int(1), .string("a")])) == "0b2a090a0218010a030a0161")
    }

    @Test("texts are cut between characters", arguments: [("x", 1024), ("é", 1024), ("€", 1023), ("𝄞", 1024)])
    func cut(_ row: (character: String, length: Int)) {
        let text = String(repeating: row.character, count: 2000)
        #expect(OTLP.cut(text).utf8.count == row.length)
        #expect(text.hasPrefix(OTLP.cut(text)))
        #expect(OTLP.cut("short") == "short")
    }

    @Test(
        "what an answer says of rejected spans; nothing where it makes no sense",
        arguments: [
            ([], 0), ([0x0a, 0x02, 0x08, 0x07], 7), ([0x0a, 0x05, 0x12, 0x01, 0x78, 0x08, 0x07], 7),
            ([0x10, 0x01, 0x0a, 0x03, 0x08, 0xAC, 0x02], 300), ([0x0a, 0x7f, 0x08, 0x07], 0), ([0x0a], 0),
            ([0x0a, 0x02, 0x08], 0), ([0x7b, 0x22, 0x61, 0x22], 0), ([0x0b, 0x08, 0x07, 0x0c], 0),
            ([0x09, 1, 2, 3], 0), ([0x0d, 1, 2, 3, 4, 0x0a, 0x02, 0x08, 0x05], 5),
            ([UInt8](repeating: 0xFF, count: 100), 0),
            ([0x0a, 0x0b, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], 0),
            ([0x0a, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x00], 0),
        ] as [([UInt8], Int)])
    func rejected(_ row: (answer: [UInt8], count: Int)) {
        #expect(OTLP.rejectedSpans(in: row.answer) == row.count)
    }

    @Test func requestNamesResourceAndScope() {
        let request = OTLP.request([[0xAA], [0xBB]], resource: ["r": .int(1)], version: "9")
        #expect(
            Self.hex(request)
                == "0a21" + "0a09" + "0a070a01721202" + "1801" + "1214" + "0a0c" + "0a07706f737465726e" + "120139"
                + "1201aa" + "1201bb")
    }
}
