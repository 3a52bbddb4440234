import Testing

@testable import PosternCore

private let trace = "0af7651916cd43dd8448eb211c80319c"
private let parent = "b7ad6b7169203331"

/// `traceparent` (W3C Trace Context section 3.2).
@Suite struct TraceContextTests {
    private static func read(_ text: String) -> TraceContext? { TraceContext(traceparent: Array(text.utf8).span.bytes) }

    @Test(
        "valid ones, and whether they say that the trace is recorded",
        arguments: [
            ("00-\(trace)-\(parent)-00", false), ("00-\(trace)-\(parent)-01", true), ("00-\(trace)-\(parent)-03", true),
            ("00-\(trace)-\(parent)-fe", false), ("00-\(trace)-\(parent)-ff", true),
            ("01-\(trace)-\(parent)-01", true), ("cc-\(trace)-\(parent)-01-what the future brings", true),
            ("fe-\(trace)-\(parent)-00-", false),
        ])
    func valid(_ row: (text: String, isSampled: Bool)) throws {
        let context = try #require(Self.read(row.text))
        #expect(context.traceHigh == 0x0af7_6519_16cd_43dd)
        #expect(context.traceLow == 0x8448_eb21_1c80_319c)
        #expect(context.span == 0xb7ad_6b71_6920_3331)
        #expect(context.isSampled == row.isSampled)
        // Of the flags only the one that is defined goes on, in the version that is known.
        #expect(
            String(decoding: context.traceparent, as: UTF8.self) == "00-\(trace)-\(parent)-0\(row.isSampled ? 1 : 0)")
    }

    @Test(
        "invalid ones",
        arguments: [
            "", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-", "00-\(trace)-\(parent)-1",
            "00-\(trace)-\(parent)-01-", "00-\(trace)-\(parent)-01-x", "00-\(trace)-\(parent)-011",
            "01-\(trace)-\(parent)-01x", "ff-\(trace)-\(parent)-01", "0-\(trace)-\(parent)-01",
            "000-\(trace)-\(parent)-01", "0g-\(trace)-\(parent)-01", "0A-\(trace)-\(parent)-01",
            "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace)-0000000000000000-01",
            "00-\(trace.uppercased())-\(parent)-01", "00-\(trace)-\(parent.uppercased())-01",
            "00-\(trace)-\(parent)-0G", "00-\(trace.dropLast())-\(parent)-01", "00-\(trace)0-\(parent)-01",
            "00-\(trace)-\(parent.dropLast())-01", "00_\(trace)_\(parent)_01", " 00-\(trace)-\(parent)-01",
            "00-\(trace)-\(parent)-01 ", "00-\(trace.dropLast())g-\(parent)-01",
            "01-\(trace)-\(parent)-01-" + String(repeating: "x", count: 512),
        ])
    func invalid(_ text: String) {
        #expect(Self.read(text) == nil)
    }

    @Test func idsThatBeginWithZerosKeepThem() throws {
        let context = TraceContext(traceHigh: 0, traceLow: 0xA, span: 1, isSampled: false)
        let text = String(decoding: context.traceparent, as: UTF8.self)
        #expect(text == "00-0000000000000000000000000000000a-0000000000000001-00")
        #expect(Self.read(text) == context)
    }
}

/// `tracestate` (section 3.3).
@Suite struct TraceStateTests {
    private static func joined(_ values: [String]) -> String? {
        var bytes: [UInt8] = []
        var ranges: [ByteRange] = []
        for value in values {
            let start = bytes.count
            bytes += Array(value.utf8)
            ranges.append(ByteRange(start, bytes.count))
        }
        return TraceState.joined(bytes.span.bytes, ranges).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "well-formed lists",
        arguments: [
            "a=b", "a=b,c=d", "a=b, c=d ,\te=f\t", "a=b,,c=d", ",", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
            "tenant@system=1", "1tenant@system=1", "a_-*/9=x", "a= leading", "a=!\"#$%&'()*+-./:;<>?@[]^_`{|}~",
            String(repeating: "k", count: 256) + "=" + String(repeating: "v", count: 256),
            (0..<32).map { "k\($0)=v" }.joined(separator: ","),
            String(repeating: "t", count: 241) + "@" + String(repeating: "s", count: 14) + "=v",
        ])
    func wellFormed(_ text: String) {
        #expect(Self.joined([text]) == text)
    }

    @Test(
        "malformed lists",
        arguments: [
            "a", "=b", "a=", "a=b=c", "A=b", "1a=b", "a b=c", "a=b,a=c", "a=é", "a=\u{7F}", "a@=b", "@a=b", "a@1=b",
            "a@b@c=d", "a=b;c=d", String(repeating: "k", count: 257) + "=v",
            "k=" + String(repeating: "v", count: 257), (0..<33).map { "k\($0)=v" }.joined(separator: ","),
            String(repeating: "t", count: 242) + "@s=v", "t@" + String(repeating: "s", count: 15) + "=v",
        ])
    func malformed(_ text: String) {
        #expect(Self.joined([text]) == nil)
        #expect(Self.joined(["a1=b", text]) == nil)
    }

    @Test func fieldsAreOneListInTheirOrder() {
        #expect(Self.joined(["a=b", "", "c=d,e=f"]) == "a=b,c=d,e=f")
        #expect(Self.joined([]) == "")
        #expect(Self.joined(["a=b", "a=c"]) == nil)
    }
}
