import HTTPTypes
import Hummingbird
import Logging
import PosternCore

/// `POST /oauth/revoke` (RFC 7009).
///
/// - Every kind of token that this issuer hands out can be revoked, so `token_type_hint` is not needed and ignored
///   (section 2.1), and `unsupported_token_type` has no occasion.
/// - What is no valid token is answered like a success (section 2.2).
/// - A token of another client is refused with `invalid_grant` ("… or was issued to another client", RFC 6749 section
///   5.2), unless the client may administer clients. A service key revokes the tokens of users.
/// - Not limited in rate: a client can only revoke what it was given at a limited rate.
struct RevocationEndpoint: Sendable {
    let service: RevocationService
    let callers: CallerAuthentication
    let issuer: IssuerURL

    func register(in routes: inout RouteList) {
        routes.on(.post, "/oauth/revoke") { try await self.revoke($0, $1) }
    }

    private func revoke(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let form = try await FormBody.read(request, allowsJSON: false)
        let caller = try await self.callers.caller(request, form, context, "revocation refused", .tokenRevoked)
        let token = try form.require("token")
        do {
            let outcome = try await self.service.revoke(
                token, by: caller, issuer: self.issuer.value, audit: context.audit(.tokenRevoked, by: caller.actor))
            Self.log(outcome, caller, context.logger)
            return Response(status: .ok, headers: .notStored)
        } catch let refusal as TokenRefusal {
            let error = OAuthError(refusal, challenge: false)
            context.logger.info(
                "revocation refused", metadata: ["caller": "\(caller.actor)", "code": "\(error.code.rawValue)"])
            throw error
        }
    }

    private static func log(_ outcome: RevocationService.Outcome, _ caller: OAuthCaller, _ logger: Logger) {
        var metadata: Logger.Metadata = ["caller": "\(caller.actor)"]
        switch outcome {
        case .revoked(let tokenID, let isPublished):
            metadata["jti"] = "\(tokenID)"
            if let isPublished { metadata["published"] = "\(isPublished)" }
            logger.info("token revoked", metadata: metadata)
        case .sessionEnded(let userID, let isPublished):
            metadata["user_id"] = "\(userID)"
            if let isPublished { metadata["published"] = "\(isPublished)" }
            logger.info("session ended", metadata: metadata)
        case .ignored(let problem):
            metadata["reason"] = "\(problem)"
            logger.info("revocation ignored", metadata: metadata)
        }
    }
}
