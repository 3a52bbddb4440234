import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct UserFieldsTests {
    private static func reader(_ text: String) throws -> FieldReader {
        FieldReader(try JSONReader.parse(Array(text.utf8).span.bytes), fields: UserFields.names)
    }

    private static let user = User(
        id: "11111111-1111-4111-8111-111111111111", username: "ann", email: "ann@example.org", isEmailVerified: false,
        isActive: true, isAdmin: false, roles: ["r"], permissions: ["p:1"], expiresOn: 5, passwordHash: "old",
        createdAt: 0, updatedAt: 60, deletedAt: nil, tokensValidFrom: 3)

    static let good: [(String, @Sendable (inout User) -> Void, String?)] = [
        ("{}", { _ in }, nil),
        ("{\"username\":\"Bob.B_1@x-Y\"}", { $0.username = "bob.b_1@x-y" }, "username"),
        ("{\"email\":\"\"}", { $0.email = "" }, "email"),
        ("{\"email\":\"A+b@Example.org\"}", { $0.email = "A+b@Example.org" }, "email"),
        ("{\"email_verified\":true}", { $0.isEmailVerified = true }, "email_verified"),
        ("{\"is_active\":false}", { $0.isActive = false }, "is_active"),
        ("{\"is_admin\":true}", { $0.isAdmin = true }, "is_admin"),
        ("{\"roles\":[\"Senior Trader\",\"ü\"]}", { $0.roles = ["Senior Trader", "ü"] }, "roles"),
        ("{\"roles\":[]}", { $0.roles = [] }, "roles"),
        ("{\"permissions\":[\"trade:read\"]}", { $0.permissions = ["trade:read"] }, "permissions"),
        ("{\"expires_on\":null}", { $0.expiresOn = nil }, "expires_on"),
        ("{\"expires_on\":\"1970-01-02\"}", { $0.expiresOn = 86400 }, "expires_on"),
        (
            "{\"is_admin\":true,\"username\":\"x\",\"expires_on\":\"1970-01-01T00:00:09Z\"}",
            {
                ($0.isAdmin, $0.username, $0.expiresOn) = (true, "x", 9)
            }, "username is_admin expires_on"
        ),
    ]

    @Test("Members that are there change the user, the others stay", arguments: Self.good.indices)
    func applies(_ index: Int) throws {
        let (text, change, names) = Self.good[index]
        var reader = try Self.reader(text)
        let fields = UserFields(&reader)
        try reader.finish()
        var changed = Self.user
        var expected = Self.user
        fields.apply(to: &changed, passwordHash: nil)
        change(&expected)
        #expect(changed == expected)
        #expect(fields.changes == names)
    }

    @Test("A password is hashed by whoever applies the fields, and only its name is told")
    func password() throws {
        var reader = try Self.reader("{\"password\":\"12345678\"}")
        let fields = UserFields(&reader)
        var changed = Self.user
        fields.apply(to: &changed, passwordHash: "new")
        #expect(changed.passwordHash == "new")
        #expect(fields.changes == "password")
    }

    private static let many = (0..<64).map { "\"\($0)\"" }.joined(separator: ",")
    private static let wide = (10..<27).map { "\"\($0)\(String(repeating: "x", count: 62))\"" }

    static let bad: [(String, [String])] = [
        ("{\"username\":\"\"}", ["username"]), ("{\"username\":null}", ["username"]),
        ("{\"username\":\"a b\"}", ["username"]), ("{\"username\":\"ann\u{212A}\"}", ["username"]),
        ("{\"username\":\"\(String(repeating: "a", count: 65))\"}", ["username"]), ("{\"username\":7}", ["username"]),
        ("{\"password\":\"1234567\"}", ["password"]),
        ("{\"password\":\"\(String(repeating: "a", count: 257))\"}", ["password"]),
        ("{\"password\":\"12345678\\u0000\"}", ["password"]), ("{\"password\":\"éééé\"}", ["password"]),
        ("{\"email\":\"ann\"}", ["email"]), ("{\"email\":\"@\"}", ["email"]), ("{\"email\":\"a@b@c\"}", ["email"]),
        ("{\"email\":\"a b@c\"}", ["email"]), ("{\"email\":\"ä@c\"}", ["email"]), ("{\"email\":null}", ["email"]),
        ("{\"email\":\"\(String(repeating: "a", count: 250))@b.de\"}", ["email"]),
        ("{\"email_verified\":\"yes\"}", ["email_verified"]), ("{\"is_active\":1}", ["is_active"]),
        ("{\"is_admin\":null}", ["is_admin"]), ("{\"roles\":\"a\"}", ["roles"]),
        ("{\"roles\":[\"a\",\"a\"]}", ["roles"]),
        ("{\"roles\":[\"a\\u0085\"]}", ["roles"]), ("{\"roles\":[\"\"]}", ["roles"]), ("{\"roles\":[1]}", ["roles"]),
        ("{\"roles\":[\(many),\"64\"]}", ["roles"]), ("{\"roles\":[\(wide.joined(separator: ","))]}", ["roles"]),
        ("{\"permissions\":[\"a b\"]}", ["permissions"]), ("{\"permissions\":[\"a\\\\\"]}", ["permissions"]),
        ("{\"permissions\":[\"ü\"]}", ["permissions"]),
        ("{\"permissions\":[\"\(String(repeating: "a", count: 65))\"]}", ["permissions"]),
        ("{\"expires_on\":\"tomorrow\"}", ["expires_on"]), ("{\"expires_on\":5}", ["expires_on"]),
        ("{\"user_id\":\"x\"}", ["user_id"]), ("{\"passwordHash\":\"x\"}", ["passwordHash"]),
        ("{\"nope\":1,\"roles\":1,\"username\":\"\"}", ["nope", "username", "roles"]),
    ]

    @Test("Everything wrong is named at once, and its value is not", arguments: Self.bad)
    func refuses(_ text: String, _ fields: [String]) throws {
        var reader = try Self.reader(text)
        _ = UserFields(&reader)
        #expect(reader.problems.map(\.field) == fields)
    }

    @Test("As many and as wide as may be")
    func widest() throws {
        var reader = try Self.reader(
            "{\"roles\":[\(Self.many)],\"permissions\":[\(Self.wide.dropLast().joined(separator: ","))]}")
        let fields = UserFields(&reader)
        try reader.finish()
        #expect(fields.roles?.count == 64)
        #expect(fields.permissions?.joined().utf8.count == 1024)
    }

    @Test("A new user has a name and a password")
    func new() throws {
        #expect(throws: Problem.self) { try NewUser(try Self.reader("{\"username\":\"ann\"}")) }
        #expect(throws: Problem.self) { try NewUser(try Self.reader("{\"password\":\"12345678\"}")) }
        let new = try NewUser(try Self.reader("{\"username\":\"ANN\",\"password\":\"12345678\"}"))
        #expect(new.username == "ann")
        #expect(new.password == "12345678")
    }

    @Test("The object has everything but the password")
    func json() {
        #expect(
            Self.user.json.serialized()
                == """
                {"user_id":"11111111-1111-4111-8111-111111111111","username":"ann","email":"ann@example.org",\
                "email_verified":false,"is_active":true,"is_admin":false,"roles":["r"],"permissions":["p:1"],\
                "expires_on":"1970-01-01T00:00:05Z","created_at":"1970-01-01T00:00:00Z",\
                "updated_at":"1970-01-01T00:01:00Z"}
                """)
        var other = Self.user
        other.expiresOn = nil
        #expect(other.json["expires_on"] == .null)
    }
}
