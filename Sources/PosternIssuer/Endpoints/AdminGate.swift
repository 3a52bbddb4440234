import HTTPTypes
import Hummingbird
import Logging
import PosternCore

/// Lets administrators through: an access token of this issuer (RFC 6750) that carries the scope, or that of a user with
/// `is_admin`.
struct AdminGate: Sendable {
    /// Registers and changes clients and service keys.
    static let clients = "admin:clients"
    /// Creates and changes users.
    static let users = "admin:users"

    let checker: TokenChecker
    let issuer: IssuerURL
    let audit: AuditLog

    /// Who asks, for the audit log: `client:ID` or `user:ID`. Throws `Problem` (401, 403), or what the store throws.
    func admit(_ request: Request, _ context: IssuerContext, scope: String) async throws -> String {
        let caller = try await self.caller(request, context)
        try self.require(scope, of: caller, context)
        return caller.actor
    }

    /// Whose token it is. Throws `Problem` (401), or what the store throws.
    ///
    /// A client's scope counts only while the client still has it: taking it away takes effect at once.
    func caller(_ request: Request, _ context: IssuerContext) async throws -> Caller {
        let token = try BearerCredential.find(in: request.headers)
        switch try await self.checker.check(token, issuer: self.issuer.value) {
        case .client(let client, let principal):
            return Caller(
                actor: "client:\(client.clientID)", scopes: principal.scopes.filter(client.scopes.contains),
                userID: nil, isAdmin: false)
        case .user(let user, _):
            return Caller(actor: "user:\(user.id)", scopes: [], userID: user.id, isAdmin: user.isAdmin)
        case .bad(let fault):
            context.logger.info("access token refused", metadata: ["reason": "\(fault.code)"])
            self.audit.record(context.audit(.adminRefused, by: nil, isAllowed: false, reason: "invalid_token"))
            throw BearerCredential.unauthorized(
                "the access token is invalid, expired or revoked", error: "invalid_token")
        }
    }

    /// Throws `Problem` (403) unless it is a client with the scope or a user who is an administrator.
    func require(_ scope: String, of caller: Caller, _ context: IssuerContext) throws(Problem) {
        if caller.isAdmin || caller.scopes.contains(scope) { return }
        self.audit.record(
            context.audit(.adminRefused, by: caller.actor, isAllowed: false, reason: "insufficient_scope"))
        throw Problem(
            status: .forbidden, code: "insufficient_scope", title: "Forbidden",
            detail: "this needs the scope \(scope), or a user who is an administrator",
            extraHeaders: [
                .wwwAuthenticate:
                    "Bearer realm=\"postern-issuer\", error=\"insufficient_scope\", scope=\"\(scope)\""
            ])
    }
}

extension AdminGate {
    /// Whoever holds a good access token.
    struct Caller: Equatable, Sendable {
        /// `client:ID` or `user:ID`.
        var actor: String
        /// What a client has of the scopes of its token; a user has none here.
        var scopes: [String]
        /// Nil: it is a client.
        var userID: String?
        var isAdmin: Bool
    }
}
