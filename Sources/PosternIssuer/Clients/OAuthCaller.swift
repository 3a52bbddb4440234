import HTTPTypes
import Hummingbird
import Logging

/// Who asks at the OAuth endpoints that are for clients and for services.
enum OAuthCaller: Equatable, Sendable {
    case client(ServiceClient)
    case serviceKey(ServiceKey)

    /// As the audit log names it.
    var actor: String {
        switch self {
        case .client(let client): "client:\(client.clientID)"
        case .serviceKey(let key): "service-key:\(key.name)"
        }
    }
}

/// Authenticates clients by their credentials and services by `Authorization: Bearer hsk_…`.
struct CallerAuthentication: Sendable {
    let clients: ClientAuthentication
    let serviceKeys: ServiceKeyService
    let issuer: IssuerURL
    let audit: AuditLog

    /// Who asks. A refusal is logged as `message` and audited as `action`.
    ///
    /// Throws `OAuthError`, or what the store throws.
    func caller(
        _ request: Request, _ form: FormBody, _ context: IssuerContext, _ message: Logger.Message,
        _ action: AuditEntry.Action
    ) async throws -> OAuthCaller {
        let headers = request.headers[values: .authorization]
        if headers.count == 1, let key = headers.first.flatMap(BearerCredential.parse) {
            guard form["client_secret"] == nil, form["client_assertion"] == nil else {
                throw OAuthError.invalidRequest("the client authenticates in more than one way")
            }
            if let found = try await self.serviceKeys.authenticate(key) { return .serviceKey(found) }
            self.audit.record(context.audit(action, by: nil, isAllowed: false, reason: "invalid_service_key"))
            context.logger.info(message, metadata: ["code": "invalid_service_key"])
            throw OAuthError(
                status: .unauthorized, code: .invalidClient, description: "the service key is unknown or revoked",
                extraHeaders: [.wwwAuthenticate: BearerCredential.challenge(error: "invalid_token")])
        }
        let credentials = try ClientCredentials.find(in: request.headers, form)
        do {
            return .client(
                try await self.clients.authenticate(
                    credentials, address: context.address,
                    audiences: self.issuer.assertionAudiences(at: request.uri.path)))
        } catch let refusal as TokenRefusal {
            throw credentials.error(for: refusal, message, action, context, self.audit)
        }
    }
}
