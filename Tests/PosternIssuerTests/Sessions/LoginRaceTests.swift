import PosternCrypto
import Testing

@testable import PosternIssuer

/// What happens while passwords are being hashed.
@Suite(.timeLimit(.minutes(1))) struct LoginRaceTests {
    private static func hasher(_ busy: BusyWorkers) -> PasswordHasher {
        PasswordHasher(cost: Scrypt.Cost(n: 16, r: 8, p: 1), workers: busy.workers)
    }

    private static func addUser(_ test: TestIssuer) async throws -> User {
        var user = User.sample
        user.passwordHash = try await PasswordHasher.cheap.hash(TestIssuer.password)
        try await test.issuer.store.addUser(user, now: 0, audit: .test)
        return user
    }

    /// Begins a login and returns when its hash waits behind `count` others.
    private static func begin(
        _ test: TestIssuer, _ password: String, _ busy: BusyWorkers, behind count: Int
    ) async -> Task<IssuedSession, any Error> {
        let task = Task {
            let request = LoginRequest(username: "sam", password: password, client: nil, address: nil)
            return try await test.issuer.people.sessions.login(request, issuer: TestIssuer.url, audit: .test)
        }
        while busy.workers.waiting <= count { await Task.yield() }
        return task
    }

    enum Change: CaseIterable {
        case password, inactive, deleted, loggedOut
    }

    @Test("What is changed of a user meanwhile counts", arguments: Change.allCases)
    func changes(_ change: Change) async throws {
        let busy = await BusyWorkers(limit: 1, waiting: 0, waitingLimit: 1)
        let test = try await TestIssuer(passwords: Self.hasher(busy))
        let user = try await Self.addUser(test)
        let login = await Self.begin(test, TestIssuer.password, busy, behind: 0)
        let (store, now) = (test.issuer.store, test.clock.clock.now())
        switch change {
        case .password:
            let hash = try await PasswordHasher.cheap.hash("another password")
            _ = try await store.changeUser(user.id, now: now, audit: .test) { $0.passwordHash = hash }
        case .inactive: _ = try await store.changeUser(user.id, now: now, audit: .test) { $0.isActive = false }
        case .deleted: try await store.removeUser(user.id, now: now, audit: .test)
        case .loggedOut: try await store.endAllSessions(ofUser: user.id, now: now, audit: .test)
        }
        _ = try await busy.finish()
        await #expect(throws: SessionRefusal.invalidCredentials) { try await login.value }
        try await busy.stop()
        #expect(!test.auditLines.text.contains("\"allowed\":true,\"actor\":\"user:"))
    }

    @Test("Of many guesses at once only ten are answered, and a right one after them is not")
    func guesses() async throws {
        let busy = await BusyWorkers(limit: 1, waiting: 0, waitingLimit: 20)
        let test = try await TestIssuer(passwords: Self.hasher(busy))
        _ = try await Self.addUser(test)
        var logins: [Task<IssuedSession, any Error>] = []
        for number in 0..<12 {
            let password = number == 11 ? TestIssuer.password : "wrong"
            logins.append(await Self.begin(test, password, busy, behind: number))
        }
        _ = try await busy.finish()
        var refusals: [SessionRefusal] = []
        for login in logins {
            do {
                _ = try await login.value
                Issue.record("a login got through")
            } catch let refusal as SessionRefusal {
                refusals.append(refusal)
            }
        }
        try await busy.stop()
        #expect(refusals.count { $0 == .invalidCredentials } == 10)
        #expect(refusals.count { $0 == .throttled(retryAfter: 900) } == 2)
    }
}
