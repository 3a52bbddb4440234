import PosternCore
import Testing

@testable import PosternProxy

@Suite struct RoutesTests {
    @Test func tableIsInTheOrderOfTheFile() throws {
        let output = RoutesCommand.run(path: Scene.path("proxy.yaml"), format: .text)
        #expect(output.exitCode == ExitStatus.fine)
        try Scene.expect(output.stdout, isFile: "routes")
    }

    @Test func jsonHasTheRulesOfTheFile() throws {
        let output = RoutesCommand.run(path: Scene.path("proxy.yaml"), format: .json)
        #expect(output.exitCode == ExitStatus.fine)
        try Scene.expect(output.stdout, isFile: "routes-json")
    }

    @Test(arguments: ["broken.yaml", "absent.yaml"])
    func unusableConfigurationIsSaidOnStandardError(file: String) {
        let output = RoutesCommand.run(path: Scene.path(file), format: .text)
        #expect(output.exitCode == ExitStatus.configuration)
        #expect(output.stdout.isEmpty)
        #expect(output.stderr.contains("\(file):"))
    }
}

@Suite struct ConfigurationPathTests {
    @Test func optionThenEnvironmentThenWorkingFolder() {
        let named = ["POSTERN_CONFIG": "/etc/postern.yaml"]
        #expect(ConfigurationPath.resolve(option: "a.yaml", environment: named) == "a.yaml")
        #expect(ConfigurationPath.resolve(option: nil, environment: named) == "/etc/postern.yaml")
        #expect(ConfigurationPath.resolve(option: nil, environment: ["POSTERN_CONFIG": ""]) == "proxy.yaml")
        #expect(ConfigurationPath.resolve(option: nil, environment: [:]) == "proxy.yaml")
    }
}

@Suite struct TextTests {
    @Test(arguments: [
        (0.0, "0s"), (0.9, "0s"), (59, "59s"), (60, "1m"), (61, "1m 1s"), (3600, "1h"), (3661, "1h 1m"),
        (90_000, "1d 1h"), (86_460, "1d"), (-1, "a long time"), (.infinity, "a long time"), (.nan, "a long time"),
    ])
    func durationHasItsTwoLargestUnits(row: (Double, String)) {
        #expect(TimeText.duration(row.0) == row.1)
    }

    @Test func momentIsInUTCAndRelative() {
        #expect(TimeText.moment(1_800_000_060, now: 1_800_000_000) == "2027-01-15T08:01:00Z, in 1m")
        #expect(TimeText.moment(1_799_999_999, now: 1_800_000_000) == "2027-01-15T07:59:59Z, 1s ago")
        #expect(TimeText.moment(-5, now: 0) == "-5.0")
        #expect(TimeText.moment(1e300, now: 0) == "1e+300")
    }

    @Test(arguments: [
        ("plain äöü 漢", "plain äöü 漢"), ("\u{1B}[31m", "\\u{1b}[31m"), ("a\r\nb", "a\\u{d}\\u{a}b"),
        ("\u{9B}x", "\\u{9b}x"), ("\u{202E}x\u{2066}", "\\u{202e}x\\u{2066}"), ("\u{7F}", "\\u{7f}"),
    ])
    func whatSteersATerminalIsEscaped(row: (String, String)) {
        #expect(TerminalText.safe(row.0) == row.1)
    }

    @Test func tableLeavesOutEmptyColumns() {
        let text = TerminalText.table(["A", "LONG", "C"], [["1", "", "3"], ["22", "", ""]])
        #expect(text == "A   C\n1   3\n22\n")
    }
}
