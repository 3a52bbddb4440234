extension SessionService {
    /// Takes a refresh token and gives the next pair. A token that was used before ends the session and revokes its
    /// access tokens: two have it, and nobody can say who is who (RFC 9700 section 4.14.2).
    ///
    /// Throws `SessionRefusal.invalidGrant`, or what the store throws.
    func refresh(_ token: String, issuer: String, audit: AuditEntry) async throws -> IssuedSession {
        guard let digest = self.tokens.format.digest(token),
            let (session, known) = try await self.store.session(ofToken: digest)
        else { throw self.refuse(.unknownToken, .invalidGrant, audit) }
        let audit = audit.about("user:\(session.userID)")
        switch try await SessionHolders(store: self.store, clock: self.clock).check(session) {
        case .success(let holder):
            return try await self.rotate(digest, of: session, holder, issuer: issuer, audit)
        case .failure(let fault):
            if known.usedAt != nil, session.endedAt == nil { try await self.end(session, audit) }
            throw self.refuse(fault, .invalidGrant, audit)
        }
    }

    private func rotate(
        _ digest: [UInt8], of session: Session, _ holder: SessionHolder, issuer: String, _ audit: AuditEntry
    ) async throws -> IssuedSession {
        let issuedAt = try await self.clock.issueTime(
            validFrom: max(holder.user.tokensValidFrom, holder.client?.tokensValidFrom ?? 0))
        // Before the store takes the old token: what fails here leaves it usable.
        let (issued, next) = try self.tokens.make(holder.user, holder.client, issuer: issuer, issuedAt: issuedAt)
        var granted = audit
        granted.actor = "user:\(session.userID)"
        granted.target = session.clientID.map { "client:\($0)" }
        switch try await self.store.rotate(digest, to: next, now: self.clock.now(), audit: granted) {
        case .rotated:
            self.audit.changed(granted)
            return issued
        case .reused:
            // The store has written that as a refusal.
            granted.isAllowed = false
            granted.reason = SessionFault.reused.reason
            self.audit.changed(granted)
            _ = await self.publisher?.publish()
            throw SessionRefusal.invalidGrant
        case .refused:
            throw self.refuse(.sessionOver, .invalidGrant, audit)
        }
    }

    private func end(_ session: Session, _ audit: AuditEntry) async throws {
        var entry = audit
        entry.isAllowed = false
        entry.reason = SessionFault.reused.reason
        try await self.store.endSession(session.id, now: self.clock.now(), audit: entry)
        self.audit.changed(entry)
        _ = await self.publisher?.publish()
    }
}
