import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct SessionTests {
    private static func refresh(_ client: any TestClientProtocol, _ token: String) async throws -> TestResponse {
        try await client.send(.post, "/auth/refresh", "{\"refresh_token\":\"\(token)\"}")
    }

    private static func isGood(_ token: String, _ test: TestIssuer) async throws -> Bool {
        let checked = try await test.issuer.people.introspection.checker.check(token, issuer: TestIssuer.url)
        if case .user = checked { return true }
        return false
    }

    @Test("A refresh token gives the next pair, with what the user is now")
    func rotates() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        let first = try await test.login()
        try await test.change(user, "{\"permissions\":[\"trade:read\"]}")
        test.clock.advance(by: 1000)
        try await test.serve { client in
            let response = try await Self.refresh(client, first.refreshToken)
            #expect(response.status == .ok)
            #expect(response.headers[.cacheControl] == "no-store")
            #expect(try response.json["scope"] == .string("trade:read"))
            #expect(try response.json["expires_in"] == .integer(900))
            #expect(try response.json["refresh_expires_in"] == .integer(86400))
            #expect(try response.text("refresh_token") != first.refreshToken)
            #expect(try await Self.isGood(try response.text("access_token"), test))
            let third = try await Self.refresh(client, try response.text("refresh_token"))
            #expect(third.status == .ok)
            let everything = test.log.text + test.auditLines.text
            for token in [first.refreshToken, try response.text("refresh_token"), try third.text("access_token")] {
                #expect(!everything.contains(token))
            }
        }
        let line = "\"action\":\"user.refresh\",\"allowed\":true,\"actor\":\"user:\(user.id)\""
        #expect(test.auditLines.text.contains(line))
    }

    @Test("Through a client, its lifetimes and its name stay")
    func client() async throws {
        let test = try await TestIssuer()
        try await test.addUser()
        let first = try await test.login(client: ("trading-dashboard", TestIssuer.dashboardSecret))
        try await test.serve { client in
            let response = try await Self.refresh(client, first.refreshToken)
            #expect(try response.json["expires_in"] == .integer(1800))
        }
        #expect(test.auditLines.text.contains("\"target\":\"client:trading-dashboard\""))
    }

    @Test("A token that is used twice ends the family: no token of it is good any more")
    func reuse() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        let other = try await test.login()
        let first = try await test.login()
        try await test.serve { client in
            let second = try await Self.refresh(client, first.refreshToken)
            #expect(second.status == .ok)
            let stolen = try await Self.refresh(client, first.refreshToken)
            #expect(stolen.status == .unauthorized)
            #expect(try stolen.text("code") == "invalid_grant")
            #expect(try await !Self.isGood(first.accessToken, test))
            #expect(try await !Self.isGood(try second.text("access_token"), test))
            let last = try await Self.refresh(client, try second.text("refresh_token"))
            #expect(last.status == .unauthorized)
            #expect(try last.withoutRequestID == stolen.withoutRequestID)
            #expect(try await Self.isGood(other.accessToken, test))
        }
        #expect(Set(try await test.revocations()).count == 2)
        #expect(try await test.revocations().contains("{\"jti\":\"\(first.accessTokenID)\"}"))
        let line = test.auditLines.text.split(separator: "\n").first { $0.contains("token_reused") } ?? ""
        #expect(line.contains("\"allowed\":false"))
        #expect(line.contains("user:\(user.id)"))
    }

    @Test("A token that was used before ends the family also when its holder may do nothing")
    func reuseByNobody() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        let first = try await test.login()
        _ = try await test.issuer.people.sessions.refresh(first.refreshToken, issuer: TestIssuer.url, audit: .test)
        try await test.change(user, "{\"email_verified\":false}")
        try await test.serve { client in
            let response = try await Self.refresh(client, first.refreshToken)
            #expect(response.status == .unauthorized)
        }
        #expect(try await test.revocations().count == 2)
    }

    enum Ending: CaseIterable {
        case unknown, malformed, clientSecret, late, loggedOut, inactive, unverified, expired, deleted, clientInactive
        case clientRemoved

        var reason: String {
            switch self {
            case .unknown, .malformed, .clientSecret: "unknown_token"
            case .late, .loggedOut, .inactive, .deleted, .clientInactive, .clientRemoved: "session_over"
            case .unverified: "email_not_verified"
            case .expired: "account_expired"
            }
        }
    }

    @Test("A refresh token that is good for nothing", arguments: Ending.allCases)
    func refuses(_ ending: Ending) async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        try await test.register("app", secret: TestIssuer.adminSecret, scopes: [])
        var token = try await test.login(client: ("app", TestIssuer.adminSecret)).refreshToken
        try await Self.end(ending, user, test, &token)
        try await test.serve { [token] client in
            let response = try await Self.refresh(client, token)
            #expect(response.status == .unauthorized)
            #expect(try response.text("code") == "invalid_grant")
            #expect(response.headers[.wwwAuthenticate] == "Bearer realm=\"postern-issuer\"")
        }
        let line = test.auditLines.text.split(separator: "\n").last ?? ""
        #expect(line.contains("\"action\":\"user.refresh\",\"allowed\":false"))
        #expect(line.contains("\"reason\":\"\(ending.reason)\""))
        #expect(!line.contains("actor"))
    }

    private static func end(
        _ ending: Ending, _ user: User, _ test: TestIssuer, _ token: inout String
    ) async throws {
        let now = test.clock.clock.now()
        switch ending {
        case .unknown: token = "hrt_" + String(repeating: "A", count: 43)
        case .malformed: token = "hrt_" + String(repeating: "A", count: 42)
        case .clientSecret: token = TestIssuer.adminSecret
        case .late: test.clock.advance(by: 86400)
        case .loggedOut: try await test.issuer.people.sessions.logoutAll(user.id, audit: .test)
        case .inactive: try await test.change(user, "{\"is_active\":false}")
        case .unverified: try await test.change(user, "{\"email_verified\":false}")
        case .expired: try await test.change(user, "{\"expires_on\":\"2025-10-09\"}")
        case .deleted: try await test.issuer.people.administration.delete(user.id, audit: .test)
        case .clientInactive:
            _ = try await test.issuer.store.changeClient("app", now: now, audit: .test) { $0.isActive = false }
        case .clientRemoved: try await test.issuer.store.removeClient("app", now: now, audit: .test)
        }
        if [.inactive, .deleted].contains(ending) { test.clock.advance(by: 1) }
    }

    @Test("A session that began before all sessions were ended is over, whenever it reached the store")
    func late() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        try await test.issuer.people.sessions.logoutAll(user.id, audit: .test)
        let format = test.issuer.revocations.refreshTokens
        let (token, digest) = format.new()
        let now = Int(test.clock.clock.now())
        try await test.issuer.store.addSession(
            Session(id: Identifier.uuid(), userID: user.id, clientID: nil, createdAt: now, endedAt: nil),
            token: RefreshToken(
                digest: digest, issuedAt: now, expiresAt: now + 100, accessTokenID: "a", accessExpiresAt: now + 100,
                usedAt: nil), audit: .test)
        try await test.serve { client in
            let response = try await Self.refresh(client, token)
            #expect(response.status == .unauthorized)
        }
    }

    @Test(
        "Refreshes that are wrong",
        arguments: [("{}", 422), ("{\"refresh_token\":\"\"}", 422), ("{\"refresh_token\":7}", 422), ("", 400)])
    func wrong(_ body: String, _ status: Int) async throws {
        try await TestIssuer().serve { client in
            let response = try await client.send(.post, "/auth/refresh", body)
            #expect(response.status.code == status)
        }
    }

    @Test("Who logs out everywhere has no session and no good token left; others have")
    func logoutAll() async throws {
        let test = try await TestIssuer()
        let user = try await test.addUser()
        try await test.addUser("bob")
        let (first, second, bob) = (try await test.login(), try await test.login(), try await test.login("bob"))
        try await test.serve { client in
            let response = try await client.send(.post, "/auth/logout-all", bearer: first.accessToken)
            #expect(response.status == .noContent)
            for session in [first, second] {
                #expect(try await !Self.isGood(session.accessToken, test))
                let refresh = try await Self.refresh(client, session.refreshToken)
                #expect(refresh.status == .unauthorized)
            }
            #expect(try await Self.isGood(bob.accessToken, test))
            let again = try await client.send(.post, "/auth/logout-all", bearer: first.accessToken)
            #expect(again.status == .unauthorized)
        }
        #expect(try await test.revocations() == ["{\"sub\":\"\(user.id)\",\"before\":1760000001}"])
        let line = "\"action\":\"user.logout_all\",\"allowed\":true,\"actor\":\"user:\(user.id)\""
        #expect(test.auditLines.text.contains(line))
    }

    @Test("For somebody else an administrator is needed")
    func logoutOther() async throws {
        let test = try await TestIssuer()
        let ann = try await test.addUser()
        try await test.addUser("bob")
        try await test.addUser("root", "\"is_admin\":true")
        let (bob, root) = (try await test.login("bob").accessToken, try await test.login("root").accessToken)
        let session = try await test.login()
        let admin = try await test.adminToken()
        try await test.serve { client in
            let body = "{\"user_id\":\"\(ann.id)\"}"
            let nobody = "{\"user_id\":\"00000000-0000-4000-8000-000000000000\"}"
            for (bearer, body, status) in [
                (nil, body, 401), ("x", body, 401), (bob, body, 403), (admin, nil, 422), (admin, nobody, 404),
                (root, nobody, 404), (bob, "{\"id\":1}", 422),
            ] {
                let response = try await client.send(.post, "/auth/logout-all", body, bearer: bearer)
                #expect(response.status.code == status)
            }
            #expect(try await Self.isGood(session.accessToken, test))
            for bearer in [root, admin] {
                let response = try await client.send(.post, "/auth/logout-all", body, bearer: bearer)
                #expect(response.status == .noContent)
            }
            #expect(try await !Self.isGood(session.accessToken, test))
        }
    }
}
