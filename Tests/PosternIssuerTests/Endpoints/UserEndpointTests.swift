import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct UserEndpointTests {
    private static let path = "/api/v1/admin/users"
    private static let body = "{\"username\":\"Ann\",\"password\":\"\(TestIssuer.password)\"}"

    @Test("A user is created with what was not said as it usually is, and read again")
    func create() async throws {
        let test = try await TestIssuer()
        let admin = try await test.adminToken()
        try await test.serve { client in
            let created = try await client.send(.post, Self.path, Self.body, bearer: admin)
            #expect(created.status == .created)
            #expect(created.headers[.cacheControl] == "no-store")
            let id = try created.text("user_id")
            #expect(Identifier.isUUID(id))
            #expect(created.headers[.location] == "\(Self.path)/\(id)")
            #expect(
                String(buffer: created.body)
                    == """
                    {"user_id":"\(id)","username":"ann","email":"","email_verified":false,"is_active":true,\
                    "is_admin":false,"roles":[],"permissions":[],"expires_on":null,\
                    "created_at":"2025-10-09T08:53:20Z","updated_at":"2025-10-09T08:53:20Z"}
                    """)
            let read = try await client.send(.get, "\(Self.path)/\(id)", bearer: admin)
            #expect(read.status == .ok)
            #expect(read.body == created.body)
            #expect(test.auditLines.text.contains("\"action\":\"user.create\""))
            #expect(test.auditLines.text.contains("\"actor\":\"client:admin\",\"target\":\"user:\(id)\""))
        }
        let everything = test.log.text + test.auditLines.text
        #expect(!everything.contains(TestIssuer.password))
        #expect(!everything.contains("$scrypt$"))
        #expect(!everything.contains(admin))
    }

    @Test("A name or an e-mail address is one user's, until he is deleted")
    func doubles() async throws {
        let test = try await TestIssuer()
        let admin = try await test.adminToken()
        let ann = try await test.addUser("ann")
        let bob = try await test.addUser("bob")
        try await test.serve { client in
            let name = try await client.send(.post, Self.path, Self.body, bearer: admin)
            #expect(name.status == .conflict)
            #expect(try name.text("code") == "already_exists")
            let mail = try await client.send(
                .patch, "\(Self.path)/\(bob.id)", "{\"email\":\"ann@example.org\"}", bearer: admin)
            #expect(mail.status == .conflict)
            let gone = try await client.send(.delete, "\(Self.path)/\(ann.id)", bearer: admin)
            #expect(gone.status == .noContent)
            let again = try await client.send(.post, Self.path, Self.body, bearer: admin)
            #expect(again.status == .created)
            #expect(try again.text("user_id") != ann.id)
        }
    }

    @Test("A change changes what it names, and the audit log names the fields alone")
    func change() async throws {
        let test = try await TestIssuer()
        let admin = try await test.adminToken()
        let user = try await test.addUser()
        test.clock.advance(by: 60)
        try await test.serve { client in
            let response = try await client.send(
                .patch, "\(Self.path)/\(user.id)",
                "{\"roles\":[\"trader\"],\"permissions\":[\"trade:read\"],\"expires_on\":\"2030-01-01\"}",
                bearer: admin)
            #expect(response.status == .ok)
            #expect(try response.json["roles"] == .strings(["trader"]))
            #expect(try response.json["permissions"] == .strings(["trade:read"]))
            #expect(try response.text("expires_on") == "2030-01-01T00:00:00Z")
            #expect(try response.text("updated_at") == "2025-10-09T08:54:20Z")
            #expect(try response.text("username") == "ann")
        }
        #expect(test.auditLines.text.contains("\"reason\":\"roles permissions expires_on\""))
        #expect(!test.auditLines.text.contains("trader"))
        #expect(try await test.revocations().isEmpty)
    }

    @Test(
        "A new password, and being switched off, end sessions and revoke tokens",
        arguments: ["{\"password\":\"another password\"}", "{\"is_active\":false}"])
    func cuts(_ change: String) async throws {
        let test = try await TestIssuer()
        let admin = try await test.adminToken()
        let user = try await test.addUser()
        let session = try await test.login()
        try await test.serve { client in
            let response = try await client.send(.patch, "\(Self.path)/\(user.id)", change, bearer: admin)
            #expect(response.status == .ok)
            let refresh = try await client.send(
                .post, "/auth/refresh", "{\"refresh_token\":\"\(session.refreshToken)\"}")
            #expect(refresh.status == .unauthorized)
            let old = try await client.login()
            #expect(old.status == .unauthorized)
        }
        #expect(try await test.revocations() == ["{\"sub\":\"\(user.id)\",\"before\":1760000001}"])
        #expect(!test.auditLines.text.contains("another password"))
    }

    @Test("A deleted user is gone, and so are his tokens")
    func delete() async throws {
        let test = try await TestIssuer()
        let admin = try await test.adminToken()
        let user = try await test.addUser()
        try await test.serve { client in
            let gone = try await client.send(.delete, "\(Self.path)/\(user.id)", bearer: admin)
            #expect(gone.status == .noContent)
            for method in [HTTPRequest.Method.get, .patch, .delete] {
                let response = try await client.send(
                    method, "\(Self.path)/\(user.id)", method == .patch ? "{}" : nil, bearer: admin)
                #expect(response.status == .notFound)
                #expect(try response.text("code") == "not_found")
            }
            let list = try await client.send(.get, Self.path, bearer: admin)
            #expect(String(buffer: list.body) == "{\"items\":[],\"next\":null}")
            let login = try await client.login()
            #expect(login.status == .unauthorized)
        }
        #expect(try await test.revocations() == ["{\"sub\":\"\(user.id)\",\"before\":1760000001}"])
    }

    @Test("The list comes in parts")
    func list() async throws {
        let test = try await TestIssuer()
        let admin = try await test.adminToken()
        var ids: [String] = []
        for name in ["a", "b", "c"] { ids.append(try await test.addUser(name).id) }
        let sorted = ids.sorted()
        try await test.serve { client in
            let first = try await client.send(.get, "\(Self.path)?limit=2", bearer: admin)
            #expect(first.status == .ok)
            #expect(try first.text("next") == sorted[1])
            let second = try await client.send(.get, "\(Self.path)?limit=2&after=\(sorted[1])", bearer: admin)
            #expect(try second.json["next"] == .null)
            guard case .array(let items)? = try second.json["items"] else { throw StoreRefusal.missing }
            #expect(items.map { $0["user_id"]?.string } == [sorted[2]])
            let bad = try await client.send(.get, "\(Self.path)?limit=0", bearer: admin)
            #expect(bad.status == .unprocessableContent)
        }
    }

    @Test(
        "Requests that are wrong",
        arguments: [
            ("{", 400, []), ("[]", 400, []), ("{\"a\":1}", 422, ["a", "username", "password"]),
            ("{\"username\":\"x\",\"password\":\"short\",\"is_admin\":2}", 422, ["password", "is_admin"]),
            ("{\"username\":\"x\",\"username\":\"x\"}", 400, []),
        ] as [(String, Int, [String])])
    func wrong(_ body: String, _ status: Int, _ fields: [String]) async throws {
        let test = try await TestIssuer()
        let admin = try await test.adminToken()
        try await test.serve { client in
            let response = try await client.send(.post, Self.path, body, bearer: admin)
            #expect(response.status.code == status)
            #expect(try response.badFields == fields)
        }
    }

    @Test("Whoever may not administer users is refused, and what cannot be an id is not there")
    func gate() async throws {
        let test = try await TestIssuer()
        let admin = try await test.adminToken()
        try await test.addUser("ann", "\"permissions\":[\"admin:users\"]")
        try await test.addUser("root", "\"is_admin\":true")
        let (ann, root) = (try await test.login().accessToken, try await test.login("root").accessToken)
        let dashboard = try await test.token().text
        try await test.serve { client in
            for (token, status) in [(nil, 401), ("x", 401), (ann, 403), (dashboard, 403), (root, 200), (admin, 200)] {
                let response = try await client.send(.get, Self.path, bearer: token)
                #expect(response.status.code == status)
                #expect((response.headers[.wwwAuthenticate] != nil) == (status != 200))
            }
            for id in ["x", "%00", String(repeating: "1", count: 500), "00000000-0000-4000-8000-000000000000"] {
                let response = try await client.send(.get, "\(Self.path)/\(id)", bearer: admin)
                #expect(response.status == .notFound)
            }
        }
        #expect(test.auditLines.text.contains("\"reason\":\"insufficient_scope\""))
    }

    @Test("When too many passwords are hashed already, it is 503 and nothing is changed")
    func overload() async throws {
        let busy = await BusyWorkers(limit: 1, waiting: 0, waitingLimit: 0)
        let hasher = PasswordHasher(cost: Scrypt.Cost(n: 16, r: 8, p: 1), workers: busy.workers)
        let test = try await TestIssuer(passwords: hasher)
        let admin = try await test.adminToken()
        try await test.serve { client in
            let response = try await client.send(.post, Self.path, Self.body, bearer: admin)
            #expect(response.status == .serviceUnavailable)
            #expect(response.headers[.retryAfter] == "1")
            #expect(try response.text("code") == "overloaded")
            let list = try await client.send(.get, Self.path, bearer: admin)
            #expect(String(buffer: list.body) == "{\"items\":[],\"next\":null}")
        }
        _ = try await busy.finish()
    }
}
