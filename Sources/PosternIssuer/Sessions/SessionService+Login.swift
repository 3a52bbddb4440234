extension SessionService {
    /// Checks client, throttle and password, in this order, and begins a session.
    ///
    /// An unknown user and a wrong password take the same path: the slow hash is computed for both, and both are counted
    /// and answered alike. So is a right password of a user who may not log in.
    ///
    /// Throws `SessionRefusal`, or what the store throws.
    func login(_ request: LoginRequest, issuer: String, audit: AuditEntry) async throws -> IssuedSession {
        let client = try await self.client(request, audit)
        if let wait = await self.throttle.wait(request.username, from: request.address, failed: false) {
            throw self.refuse(.throttled, .throttled(retryAfter: wait), audit)
        }
        let user = try await self.user(request, audit)
        var granted = audit
        granted.actor = "user:\(user.id)"
        granted.target = client.map { "client:\($0.clientID)" }
        let issuedAt = try await self.clock.issueTime(
            validFrom: max(user.tokensValidFrom, client?.tokensValidFrom ?? 0))
        // The hash took its time, and so may have the wait. Whatever ends sessions after this reading ends this one too:
        // its time is before the new `tokensValidFrom`.
        guard let current = try await self.store.user(id: user.id), current.passwordHash == user.passwordHash,
            current.fault(now: self.clock.now()) == nil, current.tokensValidFrom <= issuedAt
        else { throw self.refuse(.sessionOver, .invalidCredentials, audit.about("user:\(user.id)")) }
        try await self.renewHash(of: current, request.password, granted)
        return try await self.begin(current, client, issuer: issuer, issuedAt: issuedAt, granted)
    }

    private func client(_ request: LoginRequest, _ audit: AuditEntry) async throws -> ServiceClient? {
        guard let credentials = request.client else { return nil }
        do {
            return try await self.clients.authenticate(
                .secret(clientID: credentials.id, secret: credentials.secret), address: request.address,
                audiences: [])
        } catch let refusal as TokenRefusal {
            throw self.refuse(.client(refusal), .client(refusal), audit)
        }
    }

    /// The user whose name and password these are.
    private func user(_ request: LoginRequest, _ audit: AuditEntry) async throws -> User {
        var known: User?
        if let name = UserFields.normalized(request.username) { known = try await self.store.user(named: name) }
        let isRight: Bool
        do {
            isRight = try await self.passwords.matches(request.password, stored: known?.passwordHash)
        } catch is PasswordOverload {
            throw self.refuse(.overloaded, .overloaded(retryAfter: PasswordOverload.retryAfter), audit)
        }
        let fault = Self.fault(known, isRight, now: self.clock.now())
        let audit = known.map { audit.about("user:\($0.id)") } ?? audit
        if let wait = await self.throttle.wait(request.username, from: request.address, failed: fault != nil) {
            throw self.refuse(.throttled, .throttled(retryAfter: wait), audit)
        }
        guard let known, fault == nil else {
            throw self.refuse(fault ?? .unknownUser, .invalidCredentials, audit)
        }
        return known
    }

    private static func fault(_ user: User?, _ isRight: Bool, now: Double) -> SessionFault? {
        guard let user else { return .unknownUser }
        guard isRight else { return .wrongPassword }
        return user.fault(now: now).map { .holder($0) }
    }

    /// Hashes the password anew if new hashes cost something else by now. There is no hurry: when many log in, a later
    /// login does it.
    private func renewHash(of user: User, _ password: String, _ audit: AuditEntry) async throws {
        if self.passwords.isCurrent(user.passwordHash) { return }
        var entry = audit.about("user:\(user.id)")
        entry.action = .userChanged
        entry.reason = "password_hash"
        do {
            let hash = try await self.passwords.hash(password)
            try await self.store.rehashPassword(of: user.id, from: user.passwordHash, to: hash, audit: entry)
            self.audit.changed(entry)
        } catch is PasswordOverload {
            return
        }
    }

    private func begin(
        _ user: User, _ client: ServiceClient?, issuer: String, issuedAt: Int, _ audit: AuditEntry
    ) async throws -> IssuedSession {
        let (issued, stored) = try self.tokens.make(user, client, issuer: issuer, issuedAt: issuedAt)
        let session = Session(
            id: Identifier.uuid(), userID: user.id, clientID: client?.clientID, createdAt: issuedAt,
            endedAt: nil)
        try await self.store.addSession(session, token: stored, audit: audit)
        self.audit.changed(audit)
        return issued
    }
}
