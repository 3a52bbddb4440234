/// Logins of users: passwords in, tokens out, and the end of it all.
struct SessionService: Sendable {
    let store: any IssuerStore
    let clients: ClientAuthentication
    let passwords: PasswordHasher
    let throttle: LoginThrottle
    let tokens: SessionTokens
    /// Nil without Redis.
    let publisher: RevocationPublisher?
    let clock: IssuerClock
    let audit: AuditLog

    /// Ends all sessions of a user and revokes his tokens; returns when that is durable and Redis was tried once. Throws
    /// `StoreRefusal.missing`, or what the store throws.
    func logoutAll(_ userID: String, audit: AuditEntry) async throws {
        let entry = audit.about("user:\(userID)")
        try await self.store.endAllSessions(ofUser: userID, now: self.clock.now(), audit: entry)
        self.audit.changed(entry)
        _ = await self.publisher?.publish()
    }

    /// Audits why something was refused; gives what to throw.
    func refuse(_ fault: SessionFault, _ refusal: SessionRefusal, _ audit: AuditEntry) -> SessionRefusal {
        var entry = audit
        entry.isAllowed = false
        entry.reason = fault.reason
        self.audit.record(entry)
        return refusal
    }
}
