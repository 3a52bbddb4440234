import PosternCore

/// What a token says of its holder now, for services that ask.
struct TokenIntrospection: Sendable {
    let checker: TokenChecker
    let refreshTokens: RefreshTokenFormat

    /// The answer of `/auth/introspect`, and why the token is worth nothing, for the log. Only users' access tokens are
    /// valid: a client's own token stands for nobody.
    func user(of token: String, issuer: String) async throws -> (answer: JSONValue, fault: String?) {
        switch try await self.checker.check(token, issuer: issuer) {
        case .client: return (Self.invalid, "client_token")
        case .bad(let fault): return (Self.invalid, fault.code)
        case .user(let user, _):
            let answer = JSONValue.record([
                ("valid", .bool(true)), ("user_id", .string(user.id)), ("username", .string(user.username)),
                ("is_admin", .bool(user.isAdmin)), ("roles", .strings(user.roles)),
                ("permissions", .strings(user.permissions)),
            ])
            return (answer, nil)
        }
    }

    /// The answer of `/oauth/introspect` (RFC 7662 section 2.2), and why the token is not active, for the log.
    ///
    /// Scopes, roles and permissions are those of now, not of when the token was issued.
    func standard(
        _ token: String, for caller: OAuthCaller, issuer: String
    ) async throws -> (answer: JSONValue, fault: String?) {
        if token.hasPrefix(RefreshTokenFormat.prefix) { return try await self.refreshToken(token, caller) }
        switch try await self.checker.check(token, issuer: issuer) {
        case .bad(let fault): return (Self.inactive, fault.code)
        case .client(let client, let principal):
            let scopes = principal.scopes.filter(client.scopes.contains)
            return (.record(Self.common(principal, scopes, isTrusted: client.isTrusted)), nil)
        case .user(let user, let principal):
            let more: [(String, JSONValue)] = [
                ("username", .string(user.username)), ("is_admin", .bool(user.isAdmin)),
                ("roles", .strings(user.roles)),
                ("permissions", .strings(user.permissions)),
            ]
            return (.record(Self.common(principal, user.permissions, isTrusted: false) + more), nil)
        }
    }

    /// A refresh token is active for the client that it was issued to, for services, and for the command line.
    private func refreshToken(
        _ token: String, _ caller: OAuthCaller
    ) async throws -> (answer: JSONValue, fault: String?) {
        guard let digest = self.refreshTokens.digest(token),
            let (session, known) = try await self.checker.store.session(ofToken: digest)
        else { return (Self.inactive, SessionFault.unknownToken.reason) }
        if case .client(let client) = caller, session.clientID != client.clientID {
            return (Self.inactive, "issued_to_another")
        }
        let now = self.checker.clock.now()
        guard known.usedAt == nil, now < Double(known.expiresAt) else {
            return (Self.inactive, SessionFault.sessionOver.reason)
        }
        let holders = SessionHolders(store: self.checker.store, clock: self.checker.clock)
        if case .failure(let fault) = try await holders.check(session) { return (Self.inactive, fault.reason) }
        let answer = JSONValue.record([
            ("active", .bool(true)), ("sub", .string(session.userID)),
            ("client_id", .string(session.clientID ?? AccessToken.ownClientID)), ("exp", .integer(known.expiresAt)),
            ("iat", .integer(known.issuedAt)), ("token_type", .string("refresh_token")),
        ])
        return (answer, nil)
    }

    private static let invalid = JSONValue.record([("valid", .bool(false))])
    private static let inactive = JSONValue.record([("active", .bool(false))])

    /// What every active access token has. Its own claims are those that this issuer signed.
    private static func common(
        _ principal: Principal, _ scopes: [String], isTrusted: Bool
    ) -> [(String, JSONValue)] {
        let claims = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"].compactMap { name in
            principal.claims[name].map { (name, $0) }
        }
        return [("active", .bool(true))] + claims + [
            ("scope", .string(ScopeList.text(scopes))), ("token_type", .string("Bearer")),
            ("is_trusted", .bool(isTrusted)), ("scopes", .strings(scopes)),
        ]
    }
}
