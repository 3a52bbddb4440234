/// Judges a session by what the store says of its user and client now.
struct SessionHolders: Sendable {
    let store: any IssuerStore
    let clock: IssuerClock

    /// User and client of a session that may go on; else why not. What revoked all tokens of either ended the session
    /// too. Throws what the store throws.
    func check(_ session: Session) async throws -> Result<SessionHolder, SessionFault> {
        guard session.endedAt == nil else { return .failure(.sessionOver) }
        guard let user = try await self.store.user(id: session.userID) else {
            return .failure(.holder(.unknownHolder))
        }
        if let fault = user.fault(now: self.clock.now()) { return .failure(.holder(fault)) }
        guard session.createdAt >= user.tokensValidFrom else { return .failure(.holder(.revoked)) }
        guard let clientID = session.clientID else { return .success(SessionHolder(user: user, client: nil)) }
        guard let client = try await self.store.client(clientID) else { return .failure(.client(.invalidClient)) }
        guard client.isActive else { return .failure(.client(.inactive)) }
        guard session.createdAt >= client.tokensValidFrom else { return .failure(.holder(.revoked)) }
        return .success(SessionHolder(user: user, client: client))
    }
}

/// Whose a session is.
struct SessionHolder: Equatable, Sendable {
    var user: User
    /// The client that he logged in through, if there was one.
    var client: ServiceClient?
}
