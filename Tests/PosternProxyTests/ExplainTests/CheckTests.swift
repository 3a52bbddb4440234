import PosternCore
import Testing

@testable import PosternProxy

@Suite struct CheckTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var sentence: String
        var file: String
        var strict = false
        var exitCode: Int32
        var testDescription: String { self.sentence }
    }

    static let exitCodes: [Case] = [
        Case(sentence: "a good file", file: "proxy.yaml", exitCode: 0),
        Case(sentence: "a good file, strictly", file: "proxy.yaml", strict: true, exitCode: 0),
        Case(sentence: "warnings alone", file: "odd.yaml", exitCode: 0),
        Case(sentence: "warnings alone, strictly", file: "odd.yaml", strict: true, exitCode: 1),
        Case(sentence: "errors", file: "broken.yaml", exitCode: 78),
        Case(sentence: "errors, strictly", file: "broken.yaml", strict: true, exitCode: 78),
        Case(sentence: "a key that libcrypto does not take", file: "unusable-key.yaml", exitCode: 78),
        Case(sentence: "no file", file: "absent.yaml", exitCode: 78),
        Case(sentence: "no file, strictly", file: "absent.yaml", strict: true, exitCode: 78),
    ]

    @Test(arguments: Self.exitCodes)
    func exitCodeIsThatOfTheWorst(row: Case) {
        for format in OutputFormat.allCases {
            let output = CheckCommand.run(path: Scene.path(row.file), format: format, strict: row.strict)
            #expect(output.exitCode == row.exitCode)
            #expect(output.stderr.isEmpty)
        }
    }

    @Test(arguments: ["proxy", "odd", "broken", "unusable-key"])
    func textNamesPlaceAndFix(name: String) throws {
        let output = CheckCommand.run(path: Scene.path("\(name).yaml"), format: .text)
        try Scene.expect(output.stdout, isFile: "check-\(name)")
    }

    @Test func missingFileIsNamed() {
        let path = Scene.path("absent.yaml")
        let output = CheckCommand.run(path: path, format: .text)
        #expect(
            output.stdout == """
                \(path):1:1: error: the file cannot be read: there is no file \(path)
                \(path): 1 error

                """)
    }

    @Test func jsonHasEveryFinding() throws {
        let output = CheckCommand.run(path: Scene.path("odd.yaml"), format: .json)
        try Scene.expect(output.stdout, isFile: "check-odd-json")
    }

    @Test func jsonHasTheSuggestionOfANearMiss() throws {
        let output = CheckCommand.run(path: Scene.path("broken.yaml"), format: .json)
        let report = try JSONReader.parse(Array(output.stdout.utf8).span.bytes)
        guard case .array(let findings)? = report["findings"] else {
            Issue.record("there are no findings")
            return
        }
        #expect(findings.first?["suggestion"] == .string("upstream"))
        #expect(report["errors"] == JSONValue(findings.count))
    }
}

@Suite struct SlipTests {
    @Test(arguments: [
        ("trade:read", "trade:raed"), ("trade:read", "trade:red"), ("trade:read", "trade:reads"),
        ("trade:read", "trade:read "), ("trade:read", "trade.read"), ("trade:read", "Trade:Read"),
        ("trade:read", "trade:reat"), ("aabbb", "aaabbb"),
    ])
    func oneSlipIsSeen(pair: (String, String)) {
        #expect(Slip.separates(Array(pair.0.utf8), Array(pair.1.utf8)))
        #expect(Slip.separates(Array(pair.1.utf8), Array(pair.0.utf8)))
    }

    @Test(arguments: [
        ("trade:read", "trade:read"), ("trade:read", "trade:open"), ("trade:read", "read:trade"),
        ("service:mt4", "service:mt5"), ("page:1", "page:11"), ("read", "reads"), ("", ""),
        ("account:read", "account:balance"), ("abcdef", "abdcfe"),
    ])
    func otherNamesAreOtherNames(pair: (String, String)) {
        #expect(!Slip.separates(Array(pair.0.utf8), Array(pair.1.utf8)))
        #expect(!Slip.separates(Array(pair.1.utf8), Array(pair.0.utf8)))
    }
}
