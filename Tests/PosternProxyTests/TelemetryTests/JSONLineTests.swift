import PosternCore
import Testing

@testable import PosternProxy

@Suite struct JSONLineTests {
    @Test(arguments: [
        ("nothing", [], ""), ("plain text", Array("GET /a-b_c~ {}".utf8), "GET /a-b_c~ {}"),
        ("what ends a string", Array(#"a"b\c"#.utf8), #"a\"b\\c"#),
        ("a line break", Array("a\r\nb".utf8), #"a\u000d\u000ab"#), ("zero and delete", [0, 0x7F], #"\u0000\u007f"#),
        ("a byte that is no UTF-8", [0xFF, 0xA0], #"\u00ff\u00a0"#),
    ])
    func bytesAreEscaped(row: (String, [UInt8], String)) {
        let made = Self.made { JSONLine.appendEscaped(row.1, to: &$0) }
        #expect(made == row.2, "\(row.0)")
    }

    @Test func everyByteGivesAStringThatReadsBackAsTheCharacterOfItsNumber() throws {
        for byte in UInt8.min...UInt8.max {
            let line = Self.made { output in
                output.append(UInt8(ascii: "\""))
                JSONLine.appendEscaped([byte], to: &output)
                output.append(UInt8(ascii: "\""))
            }
            let read = try JSONReader.parse(Array(line.utf8).span.bytes)
            #expect(read == .string(String(Character(Unicode.Scalar(byte)))))
        }
    }

    @Test(arguments: ["GET /straße/{id}", "a\"b\\c\n\u{0}\u{7F}\u{85}é漢🙂", ""])
    func textReadsBackAsItWas(text: String) throws {
        let line = Self.made { output in
            output.append(UInt8(ascii: "\""))
            JSONLine.appendEscaped(text, to: &output)
            output.append(UInt8(ascii: "\""))
        }
        #expect(try JSONReader.parse(Array(line.utf8).span.bytes) == .string(text))
        #expect(!line.utf8.contains(UInt8(ascii: "\n")))
    }

    @Test(arguments: [0, 9, 10, 99, 100, 1_234_567_890, -1, -10, Int64.max, Int64.min])
    func numberIsDecimal(number: Int64) {
        let made = Self.made { JSONLine.appendNumber(number, to: &$0) }
        #expect(made == "\(number)")
    }

    @Test(arguments: [
        (Int64(0), "0.000"), (999, "0.000"), (1_000, "0.001"), (42_000, "0.042"), (1_234_567, "1.234"),
        (999_999_999, "999.999"), (61_000_000_000, "61000.000"), (-5_000_000, "0.000"),
    ])
    func durationIsMillisecondsWithThreeDecimals(row: (Int64, String)) {
        let made = Self.made { JSONLine.appendMilliseconds(row.0, to: &$0) }
        #expect(made == row.1)
    }

    private static let times: [(String, Double, String)] = [
        ("the epoch", 0.0, "1970-01-01T00:00:00.000Z"),
        ("the last millisecond of a day", 86_399.9995, "1970-01-01T23:59:59.999Z"),
        ("the end of a century", 946_684_799, "1999-12-31T23:59:59.000Z"),
        ("a leap day of a year that 400 divides", 951_782_400, "2000-02-29T00:00:00.000Z"),
        ("the day after it", 951_868_800, "2000-03-01T00:00:00.000Z"),
        ("an ordinary leap day", 1_709_164_800 + 3661, "2024-02-29T01:01:01.000Z"),
        ("2100 is no leap year", 4_107_456_000 + 86_399, "2100-02-28T23:59:59.000Z"),
        ("so March follows", 4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ("a leap day far away", 13_574_563_200, "2400-02-29T00:00:00.000Z"),
        ("half a second", 1_800_000_000.5, "2027-01-15T08:00:00.500Z"),
    ]

    @Test(arguments: Self.times)
    func timeIsRFC3339(row: (String, Double, String)) {
        let made = Self.made { JSONLine.appendTime(row.1, to: &$0) }
        #expect(made == row.2, "\(row.0)")
    }

    @Test func everyDayUntil2110IsTheOneAfterTheDayBefore() {
        var (year, month, day) = (1970, 1, 1)
        for number in 0..<51_134 {
            let expected = "\(year)-\(Self.two(month))-\(Self.two(day))T12:00:00.000Z"
            let made = Self.made { JSONLine.appendTime(Double(number) * 86_400 + 43_200, to: &$0) }
            guard made == expected else {
                Issue.record("\(made) is not \(expected)")
                return
            }
            day += 1
            if day > Self.days(of: month, year) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(year == 2110)
    }

    private static func days(of month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func made(_ make: (inout [UInt8]) -> Void) -> String {
        var output: [UInt8] = []
        make(&output)
        return String(decoding: output, as: UTF8.self)
    }
}
