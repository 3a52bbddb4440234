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
///   5.2), unless the client may administer clients.
/// - Not limited in rate: a client can only revoke what it was given at a limited rate.
struct RevocationEndpoint: Sendable {
    let service: RevocationService
    let authentication: ClientAuthentication
    let issuer: IssuerURL
    let audit: AuditLog

    func register(in routes: inout RouteList) {
        routes.on(.post, "/oauth/revoke") { try await self.revoke($0, $1) }
    }

    private func revoke(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let form = try await FormBody.read(request, allowsJSON: false)
        let credentials = try ClientCredentials.find(in: request.headers, form)
        do {
            let client = try await self.authentication.authenticate(
                credentials, address: context.address,
                audiences: self.issuer.assertionAudiences(at: request.uri.path))
            let token = try form.require("token")
            let outcome = try await self.service.revoke(
                token, by: client, issuer: self.issuer.value,
                audit: context.audit(.tokenRevoked, by: "client:\(client.clientID)"))
            self.log(outcome, client, context)
            return Response(status: .ok, headers: .notStored)
        } catch let refusal as TokenRefusal {
            throw credentials.error(for: refusal, "revocation refused", .tokenRevoked, context, self.audit)
        }
    }

    private func log(_ outcome: RevocationService.Outcome, _ client: ServiceClient, _ context: IssuerContext) {
        switch outcome {
        case .revoked(let tokenID, let isPublished):
            self.audit.changed(
                context.audit(.tokenRevoked, by: "client:\(client.clientID)", target: "token:\(tokenID)"))
            var metadata: Logger.Metadata = ["client_id": "\(client.clientID)", "jti": "\(tokenID)"]
            if let isPublished { metadata["published"] = "\(isPublished)" }
            context.logger.info("token revoked", metadata: metadata)
        case .ignored(let problem):
            context.logger.info(
                "revocation ignored", metadata: ["client_id": "\(client.clientID)", "reason": "\(problem)"])
        }
    }
}
