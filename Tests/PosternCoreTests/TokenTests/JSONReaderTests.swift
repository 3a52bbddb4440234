import PosternCore
import Testing

@Suite("JSON")
struct JSONReaderTests {
    private func parse(_ bytes: [UInt8], depth: Int = 32) -> Result<JSONValue, JSONProblem> {
        do throws(JSONProblem) {
            return .success(try JSONReader.parse(bytes.span.bytes, maximumDepth: depth))
        } catch {
            return .failure(error)
        }
    }

    private func parse(_ text: String) -> Result<JSONValue, JSONProblem> {
        self.parse(Array(text.utf8))
    }

    private func kind(_ result: Result<JSONValue, JSONProblem>) -> JSONProblem.Kind? {
        if case .failure(let problem) = result { problem.kind } else { nil }
    }

    static let values: [(String, JSONValue)] = [
        ("null", .null), ("true", .bool(true)), ("false", .bool(false)), (" \t\r\n1 \n", .number(1, text: "1")),
        ("0", .number(0, text: "0")), ("-0", .number(-0.0, text: "-0")), ("-12", .number(-12, text: "-12")),
        ("1.5", .number(1.5, text: "1.5")), ("1e3", .number(1000, text: "1e3")), ("1E+3", .number(1000, text: "1E+3")),
        ("25e-1", .number(2.5, text: "25e-1")), ("0.1e1", .number(1, text: "0.1e1")),
        ("999999999999999", .number(999_999_999_999_999, text: "999999999999999")),
        ("9007199254740993", .number(9_007_199_254_740_992, text: "9007199254740993")),
        ("18446744073709551616", .number(18_446_744_073_709_551_616, text: "18446744073709551616")),
        ("1e-400", .number(0, text: "1e-400")),
        (#""""#, .string("")), (#""a b""#, .string("a b")), (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
        (#""\u0041\u00e9\u20AC""#, .string("A\u{E9}\u{20AC}")), (#""\ud83d\ude00""#, .string("\u{1F600}")),
        (#""\u0000""#, .string("\u{0}")), ("\"\u{E9}\u{1F600}\"", .string("\u{E9}\u{1F600}")),
        ("\"\u{7F}\"", .string("\u{7F}")),
        ("[]", .array([])), ("[ ]", .array([])),
        ("[1,[2],{}]", .array([.number(1, text: "1"), .array([.number(2, text: "2")]), .object([])])),
        ("{}", .object([])), ("{ }", .object([])),
        (
            #"{"a" : 1 , "b":null}"#,
            .object([.init(name: "a", value: .number(1, text: "1")), .init(name: "b", value: .null)])
        ),
    ]

    @Test(arguments: Self.values)
    func valueIsRead(_ text: String, _ value: JSONValue) {
        #expect(self.parse(text) == .success(value))
    }

    static let refused: [(String, JSONProblem.Kind)] = [
        ("", .unexpectedEnd), ("  ", .unexpectedEnd), ("[", .unexpectedEnd), ("[1", .unexpectedEnd),
        ("{", .unexpectedEnd),
        (#"{"a""#, .unexpectedEnd), (#"{"a":"#, .unexpectedEnd), (#"{"a":1"#, .unexpectedEnd), ("\"a", .unexpectedEnd),
        ("\"\\", .unexpectedEnd), (#""\u12"#, .unexpectedEnd), ("[1,", .unexpectedEnd),
        ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte), ("[1 2]", .unexpectedByte), ("{,}", .unexpectedByte),
        (#"{"a":1,}"#, .unexpectedByte), (#"{"a" 1}"#, .unexpectedByte), ("{a:1}", .unexpectedByte),
        ("{'a':1}", .unexpectedByte), ("{1:1}", .unexpectedByte), ("tru", .unexpectedByte), ("True", .unexpectedByte),
        ("nul", .unexpectedByte), ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte), ("+1", .unexpectedByte),
        (".5", .unexpectedByte), ("//\n1", .unexpectedByte), ("\u{FEFF}1", .unexpectedByte),
        ("\u{A0}1", .unexpectedByte),
        ("\u{0}", .unexpectedByte), ("]", .unexpectedByte), ("[}", .unexpectedByte), ("{]", .unexpectedByte),
        ("1 1", .trailingBytes), ("{}{}", .trailingBytes), ("{}\u{0}", .trailingBytes), ("truetrue", .trailingBytes),
        ("01", .badNumber), ("-01", .badNumber), ("00", .badNumber), ("-", .badNumber), ("1.", .badNumber),
        ("1.e1", .badNumber), ("1e", .badNumber), ("1e+", .badNumber), ("-a", .badNumber), ("1e400", .badNumber),
        ("-1e400", .badNumber), ("0x10", .trailingBytes), ("1_0", .trailingBytes), ("-Infinity", .badNumber),
        ("\"\n\"", .badString), ("\"\t\"", .badString), ("\"\u{0}\"", .badString), (#""\a""#, .badString),
        (#""\x41""#, .badString), (#""\u12g4""#, .badString), (#""\ud800""#, .badString),
        (#""\udc00""#, .badString), (#""\ud800\u0041""#, .badString), (#""\ud800\ud800""#, .badString),
        (#""\ud83dx""#, .badString), (#""\u+123""#, .badString),
        (#"{"a":1,"a":1}"#, .duplicateMember), (#"{"a":1,"\u0061":1}"#, .duplicateMember),
        (#"[{"b":{"a":1,"c":2,"a":3}}]"#, .duplicateMember), (#"{"":1,"":2}"#, .duplicateMember),
        ("{\"\u{E9}\":1,\"e\u{301}\":1}", .duplicateMember),
    ]

    @Test(arguments: Self.refused)
    func documentIsRefused(_ text: String, _ kind: JSONProblem.Kind) {
        #expect(self.kind(self.parse(text)) == kind)
    }

    @Test(
        arguments: [
            [0x22, 0x80, 0x22], [0x22, 0xC0, 0xAE, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22],
            [0x22, 0xC3, 0x22], [0x22, 0xFF, 0x22], [0x22, 0x5C, 0x6E, 0xC0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
        ] as [[UInt8]])
    func invalidUTF8IsRefused(_ bytes: [UInt8]) {
        #expect(self.kind(self.parse(bytes)) == .badEncoding)
    }

    @Test func depthIsLimited() {
        func nested(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
        }
        #expect(self.kind(self.parse(nested(4), depth: 4)) == nil)
        #expect(self.kind(self.parse(nested(5), depth: 4)) == .tooDeep)
        #expect(self.kind(self.parse(nested(100_000))) == .tooDeep)
        #expect(self.kind(self.parse(Array("1".utf8), depth: 0)) == nil)
        #expect(self.kind(self.parse(Array("{}".utf8), depth: 0)) == .tooDeep)
    }

    @Test(arguments: [23, 24, 25, 26, 300])
    func repeatedMemberIsFoundAmongMany(_ count: Int) {
        let members = (0..<count).map { "\"m\($0)\":\($0)" }
        for repeated in [0, count / 2, count - 1] {
            let twice = "{" + members.joined(separator: ",") + ",\"m\(repeated)\":0}"
            #expect(self.kind(self.parse(twice)) == .duplicateMember)
        }
        #expect(self.kind(self.parse("{" + members.joined(separator: ",") + "}")) == nil)
    }

    @Test func everyTruncationIsRefused() {
        let text = Array(#"{"a":[1,2.5e3,true,null,"x\u0041\ud83d\ude00\n"],"b":{"c":"é"}}"#.utf8)
        #expect(self.kind(self.parse(text)) == nil)
        for count in text.indices {
            #expect(self.kind(self.parse(Array(text.prefix(count)))) != nil, "\(count) bytes")
        }
    }

    @Test func randomBytesNeverTrap() {
        var generator = TokenTestGenerator(state: 7)
        let alphabet = Array(#"{}[]":,\u0019dDeE+-.tfn "#.utf8) + [0x00, 0x80, 0xC3, 0xA9, 0xFF]
        var read = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...12, using: &generator)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            if case .success(let value) = self.parse(bytes) {
                read += 1
                // What was read is written as something that reads the same.
                #expect(self.parse(value.serialized()) == .success(value))
            }
        }
        #expect(read > 0)
    }

    @Test func serializedValueIsCompactAndEscaped() {
        let value = JSONValue.object([
            .init(name: "a\"", value: .string("\\ \n\r\t\u{1}\u{1F} é/")),
            .init(name: "b", value: .array([.null, .bool(true), JSONValue(7)])),
            .init(name: "c", value: .object([])),
        ])
        let text = #"{"a\"":"\\ \n\r\t\u0001\u001f é/","b":[null,true,7],"c":{}}"#
        #expect(value.serialized() == text)
        #expect(self.parse(text) == .success(value))
    }
}
