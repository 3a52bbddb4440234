import HTTPTypes
import Hummingbird
import Logging
import PosternCore

/// `POST /oauth/token` (RFC 6749 section 4.4) and `POST /api/v1/auth/service-token`, the same in the shape that clients of
/// the reference deployment use.
struct TokenEndpoints: Sendable {
    let service: TokenService
    let issuer: IssuerURL
    let audit: AuditLog

    func register(in routes: inout RouteList) {
        routes.on(.post, "/oauth/token") { try await self.token($0, $1) }
        routes.on(.post, "/api/v1/auth/service-token") { try await self.serviceToken($0, $1) }
    }

    private func token(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let form = try await FormBody.read(request, allowsJSON: false)
        guard try form.require("grant_type") == "client_credentials" else {
            throw OAuthError(
                status: .badRequest, code: .unsupportedGrantType, description: "grant_type is client_credentials")
        }
        return try await self.issue(
            TokenRequest(try ClientCredentials.find(in: request.headers, form), scope: form["scope"]), request, context)
    }

    private func serviceToken(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let form = try await FormBody.read(request, allowsJSON: true)
        let credentials = ClientCredentials.secret(
            clientID: try form.require("client_id"), secret: try form.require("client_secret"))
        return try await self.issue(
            TokenRequest(try credentials.checked(), scope: form["scope"]), request, context)
    }

    private func issue(
        _ wanted: TokenRequest, _ request: Request, _ context: IssuerContext
    ) async throws -> Response {
        var wanted = wanted
        wanted.address = context.address
        if case .assertion = wanted.credentials {
            wanted.audiences = self.issuer.assertionAudiences(at: request.uri.path)
        }
        do {
            let token = try await self.service.issue(wanted, issuer: self.issuer.value)
            context.logger.info(
                "token issued",
                metadata: ["client_id": "\(token.clientID)", "jti": "\(token.identifier)"])
            self.audit.record(
                context.audit(.tokenIssued, by: "client:\(token.clientID)", target: "token:\(token.identifier)"))
            return .json(token.answer, headers: .notStored)
        } catch let refusal as TokenRefusal {
            throw wanted.credentials.error(for: refusal, "token refused", .tokenIssued, context, self.audit)
        }
    }
}
