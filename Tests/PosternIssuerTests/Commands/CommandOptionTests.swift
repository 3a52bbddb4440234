import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct CommandOptionTests {
    private func resolve(
        _ command: IssuerCommand, _ environment: [String: String] = [:]
    ) throws -> IssuerConfiguration {
        try IssuerConfiguration.resolve(IssuerOptions(), IssuerEnvironment(environment), for: command)
    }

    @Test("A command needs what it uses, and nothing else")
    func needs() throws {
        let environment = ["POSTERN_ISSUER_REDIS": "redis://redis.test", "POSTERN_ISSUER_AUDIT_LOG": "-"]
        let list = try self.resolve(.client(.list(CommandPage(after: nil, limit: 1))), environment)
        #expect(list.redis == nil && list.issuer == nil && list.audiences.isEmpty && list.audit.path == nil)
        #expect(try self.resolve(.token(.revoke("x")), environment).redis != nil)
        let issue = IssuerCommand.token(.issue(client: "a", scope: nil))
        let errors = #expect(throws: ConfigurationErrors.self) { try self.resolve(issue) }
        #expect(errors?.problems.map { $0.prefix { $0 != " " } } == ["--issuer", "--audience"])
        let signing = try self.resolve(
            issue, ["POSTERN_ISSUER_ISSUER": "https://i.test", "POSTERN_ISSUER_AUDIENCE": "a b"])
        #expect(signing.issuer == "https://i.test" && signing.audiences == ["a", "b"])
    }

    @Test(
        "Only what may end tokens publishes",
        arguments: [
            (.client(.change("a", CommandFields())), true), (.client(.delete("a")), true),
            (.client(.rotateSecret("a", overlap: 0)), false), (.client(.create(CommandFields())), false),
            (.user(.change("a", CommandFields())), true), (.user(.delete("a")), true),
            (.user(.create(CommandFields())), false), (.serviceKey(.revoke("a")), false), (.key(.rotate), false),
            (.token(.revoke("a")), true), (.token(.inspect("a")), false), (.tailAudit(1), false),
        ] as [(IssuerCommand, Bool)])
    func revokes(_ command: IssuerCommand, _ expected: Bool) {
        #expect(command.revokes == expected)
    }
}
