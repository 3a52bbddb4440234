import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct LoginTests {
    private static let path = "/auth/login"

    @Test("A login gives a pair of tokens; the access token carries who he is")
    func login() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser(
            "ann", "\"roles\":[\"trader\"],\"permissions\":[\"trade:read\",\"account:read\"]")
        try await test.serve { client in
            let response = try await client.login("ANN")
            #expect(response.status == .ok)
            #expect(response.headers[.cacheControl] == "no-store")
            let json = try response.json
            #expect(json["token_type"] == .string("Bearer"))
            #expect(json["expires_in"] == .integer(900))
            #expect(json["refresh_expires_in"] == .integer(86400))
            #expect(json["scope"] == .string("trade:read account:read"))
            let refresh = try response.text("refresh_token")
            #expect(refresh.wholeMatch(of: #/hrt_[A-Za-z0-9_-]{43}/#) != nil)
            let access = try response.text("access_token")
            let checked = try await test.issuer.people.introspection.checker.check(access, issuer: TestIssuer.url)
            guard case .user(let holder, let principal) = checked else { throw StoreRefusal.missing }
            #expect(holder == user)
            #expect(principal.client == "postern-issuer")
            #expect(principal.claims["roles"] == .strings(["trader"]))
            #expect(principal.claims["permissions"] == .strings(["trade:read", "account:read"]))
            #expect(principal.claims["is_admin"] == .bool(false))
            let everything = test.log.text + test.auditLines.text
            #expect(!everything.contains(TestIssuer.password))
            #expect(!everything.contains(access))
            #expect(!everything.contains(refresh))
        }
        #expect(
            test.auditLines.text.contains("\"action\":\"user.login\",\"allowed\":true,\"actor\":\"user:\(user.id)\""))
    }

    @Test("Through a client its lifetimes count, and the token names it")
    func client() async throws {
        let test = try await TestIssuer()
        try await test.addUser()
        try await test.serve { client in
            let response = try await client.send(
                .post, Self.path,
                """
                {"username":"ann","password":"\(TestIssuer.password)","client_id":"trading-dashboard",\
                "client_secret":"\(TestIssuer.dashboardSecret)"}
                """)
            #expect(response.status == .ok)
            #expect(try response.json["expires_in"] == .integer(1800))
            let access = try response.text("access_token")
            let checked = try await test.issuer.people.introspection.checker.check(access, issuer: TestIssuer.url)
            guard case .user(_, let principal) = checked else { throw StoreRefusal.missing }
            #expect(principal.client == "trading-dashboard")
            #expect(test.auditLines.text.contains("\"target\":\"client:trading-dashboard\""))
            #expect(!test.log.text.contains(TestIssuer.dashboardSecret))
        }
    }

    @Test("Both tokens end with the account")
    func accountEnds() async throws {
        let test = try await TestIssuer()
        try await test.addUser("ann", "\"expires_on\":\"2025-10-09T08:55:00Z\"")
        try await test.serve { client in
            let response = try await client.login()
            #expect(try response.json["expires_in"] == .integer(100))
            #expect(try response.json["refresh_expires_in"] == .integer(100))
        }
    }

    /// Who logs in, with what, and the reason that the audit log gives.
    static let refusals: [(user: String, name: String, password: String, reason: String)] = [
        ("", "ann", "wrong password", "wrong_password"),
        ("", "nobody", TestIssuer.password, "unknown_user"),
        ("", "no such name!", TestIssuer.password, "unknown_user"),
        ("", "", TestIssuer.password, "unknown_user"),
        ("", "ann", "", "wrong_password"),
        ("\"is_active\":false", "ann", TestIssuer.password, "inactive"),
        ("\"is_active\":false", "ann", "wrong password", "wrong_password"),
        ("\"email_verified\":false", "ann", TestIssuer.password, "email_not_verified"),
        ("\"expires_on\":\"2025-10-09T08:53:20Z\"", "ann", TestIssuer.password, "account_expired"),
    ]

    @Test("Whatever is wrong, the answer is one; the audit log knows why", arguments: Self.refusals.indices)
    func refuses(_ index: Int) async throws {
        let row = Self.refusals[index]
        let test = try await TestIssuer()
        let user = try await test.addUser()
        if !row.user.isEmpty { try await test.change(user, "{\(row.user)}") }
        try await test.serve { client in
            let response = try await client.login(row.name, row.password)
            #expect(response.status == .unauthorized)
            #expect(response.headers[.wwwAuthenticate] == "Bearer realm=\"postern-issuer\"")
            #expect(try response.withoutRequestID == Self.invalid)
        }
        let line = test.auditLines.text.split(separator: "\n").last { $0.contains("user.login") } ?? ""
        #expect(line.contains("\"allowed\":false"))
        #expect(line.contains("\"reason\":\"\(row.reason)\""))
        #expect(line.contains("\"target\":\"user:\(user.id)\"") == (row.reason != "unknown_user"))
        #expect(!line.contains("actor"))
        let everything = test.log.text + test.auditLines.text
        for secret in [row.password, "nobody", "no such name!"] where !secret.isEmpty {
            #expect(!everything.contains(secret))
        }
    }

    private static let invalid = JSONValue.record([
        ("type", .string("urn:postern:problem:invalid_credentials")), ("title", .string("Unauthorized")),
        ("status", .integer(401)),
        ("detail", .string("the username or the password is wrong, or the account cannot be used")),
        ("code", .string("invalid_credentials")),
    ])

    @Test(
        "Requests that are wrong",
        arguments: [
            ("{}", 422, ["username", "password"]), ("{\"username\":\"a\",\"password\":7}", 422, ["password"]),
            ("{\"username\":\"a\",\"password\":\"b\",\"client_id\":\"c\"}", 422, ["client_secret"]),
            ("{\"username\":\"a\",\"password\":\"b\",\"client_secret\":\"c\"}", 422, ["client_id"]),
            ("{\"username\":\"a\",\"password\":\"b\",\"otp\":\"1\"}", 422, ["otp"]), ("nonsense", 400, []),
        ] as [(String, Int, [String])])
    func wrong(_ body: String, _ status: Int, _ fields: [String]) async throws {
        try await TestIssuer().serve { client in
            let response = try await client.send(.post, Self.path, body)
            #expect(response.status.code == status)
            #expect(try response.badFields == fields)
        }
    }

    @Test(
        "A client that is refused: no password is looked at",
        arguments: [
            ("trading-dashboard", "wrong", 401, "invalid_client"), ("nobody", "wrong", 401, "invalid_client"),
            ("mt5-api-service", TestIssuer.serviceSecret, 403, "access_denied"),
        ])
    func badClient(_ id: String, _ secret: String, _ status: Int, _ code: String) async throws {
        let test = try await TestIssuer()
        try await test.addUser()
        try await test.serve { client in
            let response = try await client.send(
                .post, Self.path,
                """
                {"username":"ann","password":"\(TestIssuer.password)","client_id":"\(id)","client_secret":"\(secret)"}
                """)
            #expect(response.status.code == status)
            #expect(try response.text("code") == code)
        }
        #expect(test.auditLines.text.contains("\"action\":\"user.login\",\"allowed\":false"))
    }

    @Test("After ten failures even the right password has to wait, and unknown users are no different")
    func throttles() async throws {
        let test = try await TestIssuer()
        try await test.addUser()
        try await test.addUser("bob")
        try await test.serve { client in
            for name in ["ann", "nobody"] {
                for _ in 0..<10 {
                    let response = try await client.login(name, "wrong")
                    #expect(response.status == .unauthorized)
                }
                let response = try await client.login(name)
                #expect(response.status == .tooManyRequests)
                #expect(response.headers[.retryAfter] == "900")
                #expect(try response.text("code") == "too_many_failures")
            }
            let other = try await client.login("bob")
            #expect(other.status == .ok)
            test.clock.advance(by: 900)
            let later = try await client.login()
            #expect(later.status == .ok)
        }
        #expect(test.auditLines.text.contains("\"reason\":\"too_many_failures\""))
    }

    @Test("A hash is computed for unknown users as well: when no more can be, both get the same 503")
    func sameCost() async throws {
        let busy = await BusyWorkers(limit: 1, waiting: 0, waitingLimit: 0)
        let hasher = PasswordHasher(cost: Scrypt.Cost(n: 16, r: 8, p: 1), workers: busy.workers)
        let test = try await TestIssuer(passwords: hasher)
        let cheap = PasswordHasher.cheap
        var user = User.sample
        user.passwordHash = try await cheap.hash(TestIssuer.password)
        try await test.issuer.store.addUser(user, now: 0, audit: .test)
        try await test.serve { [user] client in
            var answers: [JSONValue] = []
            for name in [user.username, "nobody", "no such name!"] {
                let response = try await client.login(name)
                #expect(response.status == .serviceUnavailable)
                #expect(response.headers[.retryAfter] == "1")
                answers.append(try response.withoutRequestID)
            }
            #expect(Set(answers.map { $0.serialized() }).count == 1)
        }
        #expect(test.auditLines.text.contains("\"reason\":\"overloaded\""))
        _ = try await busy.finish()
    }

    @Test("A hash of another cost is renewed at the next login; sessions stay")
    func rehash() async throws {
        let test = try await TestIssuer()
        var user = User.sample
        let old = PasswordHasher(cost: Scrypt.Cost(n: 32, r: 1, p: 1))
        user.passwordHash = try await old.hash(TestIssuer.password)
        try await test.issuer.store.addUser(user, now: 0, audit: .test)
        let first = try await test.login(user.username)
        let stored = try #require(try await test.issuer.store.user(id: user.id))
        #expect(stored.passwordHash.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        #expect(stored.tokensValidFrom == 0)
        let second = try await test.login(user.username)
        #expect(try await test.issuer.store.user(id: user.id)?.passwordHash == stored.passwordHash)
        for session in [first, second] {
            let checked = try await test.issuer.people.introspection.checker.check(
                session.accessToken, issuer: TestIssuer.url)
            guard case .user = checked else {
                Issue.record("\(checked)")
                continue
            }
        }
        #expect(try await test.revocations().isEmpty)
        #expect(test.auditLines.text.contains("\"reason\":\"password_hash\""))
    }

    @Test("Who logs in within the second of a logout waits for the next one, and gets tokens that are good")
    func sameSecond() async throws {
        let clock = TestClock(1_760_000_000.25, movesAsleep: true)
        let test = try await TestIssuer(clock: clock)
        let user = try await test.addUser()
        try await test.issuer.people.sessions.logoutAll(user.id, audit: .test)
        let session = try await test.login()
        #expect(clock.clock.now() == 1_760_000_001)
        let checked = try await test.issuer.people.introspection.checker.check(
            session.accessToken, issuer: TestIssuer.url)
        guard case .user(_, let principal) = checked else { throw StoreRefusal.missing }
        #expect(principal.issuedAt == 1_760_000_001)
        let next = try await test.issuer.people.sessions.refresh(
            session.refreshToken, issuer: TestIssuer.url, audit: .test)
        #expect(next.userID == user.id)
    }
}
