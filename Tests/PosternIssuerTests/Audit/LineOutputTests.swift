import Foundation
import Testing

@testable import PosternIssuer

@Suite struct LineOutputTests {
    @Test("Lines are appended to a file of the owner's; after moving it away a new one is opened")
    func reopens() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("audit.log")
        let output = try LineOutput(appendingTo: path)
        #expect(output.write("one"))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        #expect(output.write("two"))
        #expect(output.reopen())
        #expect(output.write("three"))
        #expect(try String(contentsOfFile: path + ".1", encoding: .utf8) == "one\ntwo\n")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "three\n")
        #expect(try LineOutput(appendingTo: path).write("four"))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "three\nfour\n")
    }

    @Test("Where no new file can be opened the old one goes on")
    func keeps() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("a"), withIntermediateDirectories: true)
        let output = try LineOutput(appendingTo: folder.file("a/audit.log"))
        try FileManager.default.moveItem(atPath: folder.file("a"), toPath: folder.file("b"))
        #expect(!output.reopen())
        #expect(output.write("on"))
        #expect(try String(contentsOfFile: folder.file("b/audit.log"), encoding: .utf8) == "on\n")
    }

    @Test("A line that cannot be written is counted, and the trouble said once")
    func fails() throws {
        let output = try LineOutput(appendingTo: "/dev/full")
        #expect(!output.write("one"))
        #expect(output.write("two"))
        #expect(output.failures == 2)
    }

    @Test("A folder that is not there is named")
    func missing() throws {
        #expect(
            throws: IssuerStartError.audit(
                "/nonexistent/audit.log cannot be opened: No such file or directory")
        ) { try LineOutput(appendingTo: "/nonexistent/audit.log") }
    }
}

@Suite struct TimeTextTests {
    @Test(
        "Times are written as RFC 3339 in UTC",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_769_862_896, "2026-01-31T12:34:56Z"), (4_102_444_800, "2100-01-01T00:00:00Z"),
        ])
    func seconds(_ time: Int, _ text: String) {
        #expect(TimeText.seconds(time) == text)
    }

    @Test(
        "Milliseconds are rounded down",
        arguments: [
            (0.0, "1970-01-01T00:00:00.000Z"), (1.9999, "1970-01-01T00:00:01.999Z"),
            (1_769_862_896.25, "2026-01-31T12:34:56.250Z"),
        ])
    func milliseconds(_ time: Double, _ text: String) {
        #expect(TimeText.milliseconds(time) == text)
    }
}
