import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct UserCommandTests {
    private static let password = "correct horse battery staple"

    private static func new(_ name: String) -> CommandFields {
        var fields = CommandFields([("username", name), ("password", Self.password), ("email", "\(name)@example.org")])
        fields.set("email_verified", true)
        fields.set("roles", list: ["trader"])
        return fields
    }

    @Test("A user is created, shown by id and by name, changed and deleted; his password is nowhere")
    func lives() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        let made = try await line.json(.user(.create(Self.new("ann"))))
        let id = try #require(made["user_id"]?.string)
        #expect(made["roles"] == .strings(["trader"]))
        for name in [id, "ann", "ANN"] { #expect(try await line.json(.user(.show(name))) == made) }
        let list = try await line.json(.user(.list(CommandPage(after: nil, limit: 10))))
        #expect(list["items"] == .array([made]))
        var fields = CommandFields([("expires_on", "2030-01-01T00:00:00Z")])
        fields.set("roles", list: [""])
        let changed = try await line.json(.user(.change("ann", fields)))
        #expect(changed["roles"] == .strings([]) && changed["expires_on"]?.string == "2030-01-01T00:00:00Z")
        var forever = CommandFields()
        forever.setNull("expires_on")
        #expect(try await line.json(.user(.change(id, forever)))["expires_on"] == .null)
        #expect(
            try await line.json(.user(.delete("ann")))
                == .record([("user_id", .string(id)), ("deleted", .bool(true))]))
        #expect(try await line.refusal(.user(.show("ann"))) == ["there is no user with this id or name"])
        #expect(try await line.refusal(.user(.show(id))) == ["there is no user with this id or name"])
        let audit = try await test.issuer.store.auditEntries(limit: 10)
        #expect(audit.map(\.action).prefix(4) == [.userRemoved, .userChanged, .userChanged, .userCreated])
        #expect(audit.prefix(4).allSatisfy { $0.actor == "command" && $0.target == "user:\(id)" })
        #expect(!(test.log.text + "\(audit)").contains(Self.password))
    }

    @Test("A new password ends what was begun with the old one")
    func password() async throws {
        let test = try await TestIssuer()
        let line = CommandLine(test)
        _ = try await line.json(.user(.create(Self.new("ann"))))
        let before = try #require(try await test.issuer.store.user(named: "ann"))
        _ = try await line.json(.user(.change("ann", CommandFields([("password", "another good password")]))))
        let after = try #require(try await test.issuer.store.user(named: "ann"))
        #expect(after.passwordHash != before.passwordHash && after.tokensValidFrom == 1_760_000_001)
        #expect(try await test.revocations().count == 1)
    }

    @Test("What is wrong is named field by field, and never repeated")
    func wrong() async throws {
        let line = CommandLine(try await TestIssuer())
        let short = CommandFields([("username", "a b"), ("password", "tiny-1"), ("expires_on", "soon")])
        let sentences = try await line.refusal(.user(.create(short)))
        #expect(sentences.map { $0.prefix { $0 != " " } } == ["username", "password", "expires_on"])
        #expect(!sentences.joined().contains("tiny-1"))
        _ = try await line.json(.user(.create(Self.new("ann"))))
        #expect(
            try await line.refusal(.user(.create(Self.new("ann"))))
                == ["another user has this username or this e-mail address"])
    }
}
