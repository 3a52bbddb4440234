import Foundation
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct KeyCommandTests {
    private static func states(_ list: JSONValue) -> [String?] {
        list.elements.map { $0["state"]?.string }
    }

    @Test("The next key is made by command, and the issuer that runs signs with it when its time has come")
    func rotates() async throws {
        let test = try await TestIssuer(algorithm: .es256)
        let line = CommandLine(test)
        let before = try await line.json(.key(.list))
        #expect(Self.states(before) == ["current"])
        let made = try await line.json(.key(.rotate))
        #expect(made["state"]?.string == "next" && made["algorithm"]?.string == "ES256")
        #expect(made["signs_from"]?.string == TimeText.seconds(1_760_000_360))
        #expect(made["removed_at"] == .null)
        #expect(try await line.refusal(.key(.rotate)) == ["a key waits already to sign: see `key list`"])
        await test.issuer.rotation.round()
        test.clock.advance(by: 360)
        #expect(test.issuer.keys.signer.kid == made["kid"]?.string)
        let after = try await line.json(.key(.list))
        #expect(Self.states(after) == ["current", "retired"])
        // The longest lifetime of a client is an hour.
        #expect(
            after.elements.last?["removed_at"]?.string == TimeText.seconds(1_760_000_360 + 3600 + 300))
        let entry = try #require(try await test.issuer.store.auditEntries(limit: 1).first)
        #expect(entry.action == .signingKeyAdded && entry.actor == "command")
    }

    @Test("Another algorithm can be asked for; no other command changes what signs")
    func algorithm() async throws {
        let test = try await TestIssuer(algorithm: .es256)
        var line = CommandLine(test)
        line.algorithm = .rs256
        _ = try await line.json(.key(.list))
        #expect(try await test.issuer.store.signingKeys().count == 1)
        line.algorithm = .eddsa
        #expect(try await line.json(.key(.rotate))["algorithm"]?.string == "EdDSA")
    }

    @Test("The last audit entries are shown, oldest first; lines go to a file where one is named")
    func audit() async throws {
        let test = try await TestIssuer()
        var line = CommandLine(test)
        line.auditPath = test.folder.file("audit.log")
        _ = try await line.json(.serviceKey(.create(CommandFields([("name", "one")]))))
        test.clock.advance(by: 1)
        _ = try await line.json(.serviceKey(.revoke("one")))
        let lines = try await line.run(.tailAudit(2)).lines
        #expect(lines.map { $0.contains("service_key.create") } == [true, false])
        #expect(lines[1].contains("\"action\":\"service_key.revoke\",\"allowed\":true,\"actor\":\"command\""))
        let file = try String(contentsOfFile: test.folder.file("audit.log"), encoding: .utf8)
        #expect(file == lines.joined(separator: "\n") + "\n")
        #expect(try await line.run(.tailAudit(1)).lines == [lines[1]])
    }

    @Test("A store that is not there is not made, and one that nobody set up is refused")
    func stores() async throws {
        let folder = try TemporaryFolder()
        var configuration = TestIssuer.configuration(folder)
        let runner = CommandRunner(configuration, logger: LogCapture().logger)
        let missing = await #expect(throws: IssuerFailure.self) { try await runner.run(.key(.list)) }
        #expect(missing?.sentences[0].hasSuffix("issuer.sqlite cannot be opened: No such file or directory") == true)
        #expect(missing?.exitCode == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        await (try configuration.store.open()).close()
        let empty = await #expect(throws: IssuerFailure.self) { try await runner.run(.key(.list)) }
        #expect(empty?.exitCode == 78 && empty?.sentences[0].contains("bootstrap") == true)
        let test = try await TestIssuer(folder: try TemporaryFolder())
        configuration = TestIssuer.configuration(test.folder)
        configuration.store.keySource = .bytes([UInt8](repeating: 1, count: 32))
        let stranger = CommandRunner(configuration, logger: LogCapture().logger)
        let wrong = await #expect(throws: IssuerFailure.self) { try await stranger.run(.client(.show("x"))) }
        #expect(wrong?.exitCode == 78)
    }
}
