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
    ///
    /// A client's scope counts only while the client still has it: taking it away takes effect at once.
    func admit(_ request: Request, _ context: IssuerContext, scope: String) async throws -> String {
        let token = try Self.bearer(request.headers)
        switch try await self.checker.check(token, issuer: self.issuer.value) {
        case .client(let client, let principal):
            let name = "client:\(client.clientID)"
            guard principal.scopes.contains(scope), client.scopes.contains(scope) else {
                throw self.forbidden(name, scope, context)
            }
            return name
        case .user(let user, _):
            let name = "user:\(user.id)"
            guard user.isAdmin else { throw self.forbidden(name, scope, context) }
            return name
        case .bad(let fault):
            context.logger.info("administrator refused", metadata: ["reason": "\(fault)"])
            self.audit.record(context.audit(.adminRefused, by: nil, isAllowed: false, reason: "invalid_token"))
            throw Self.unauthorized("the access token is invalid, expired or revoked", error: "invalid_token")
        }
    }

    private static func bearer(_ headers: HTTPFields) throws(Problem) -> String {
        let values = headers[values: .authorization]
        guard let header = values.first else { throw Self.unauthorized("there is no access token", error: nil) }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard values.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Self.unauthorized("the Authorization header is not one Bearer token", error: "invalid_request")
        }
        return String(parts[1].drop { $0 == " " })
    }

    private static func unauthorized(_ detail: String, error: String?) -> Problem {
        let suffix = error.map { ", error=\"\($0)\"" } ?? ""
        return Problem(
            status: .unauthorized, code: error ?? "missing_token", title: "Unauthorized", detail: detail,
            extraHeaders: [.wwwAuthenticate: "Bearer realm=\"postern-issuer\"\(suffix)"])
    }

    private func forbidden(_ actor: String, _ scope: String, _ context: IssuerContext) -> Problem {
        self.audit.record(context.audit(.adminRefused, by: actor, isAllowed: false, reason: "insufficient_scope"))
        return Problem(
            status: .forbidden, code: "insufficient_scope", title: "Forbidden",
            detail: "this needs the scope \(scope), or a user who is an administrator",
            extraHeaders: [
                .wwwAuthenticate:
                    "Bearer realm=\"postern-issuer\", error=\"insufficient_scope\", scope=\"\(scope)\""
            ])
    }
}
