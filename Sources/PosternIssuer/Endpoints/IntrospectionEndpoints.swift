import HTTPTypes
import Hummingbird
import Logging
import PosternCore

/// `POST /auth/introspect`, for services of the reference deployment, and `POST /oauth/introspect` (RFC 7662). Both look
/// at the store each time: what an administrator changed shows at once.
struct IntrospectionEndpoints: Sendable {
    let service: TokenIntrospection
    let callers: CallerAuthentication
    let issuer: IssuerURL

    func register(in routes: inout RouteList) {
        routes.on(.post, "/auth/introspect") { try await self.user($0, $1) }
        routes.on(.post, "/oauth/introspect") { try await self.standard($0, $1) }
    }

    /// Octets of a token that is looked at.
    private static let limit = 16 * 1024

    private func user(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let key = try BearerCredential.find(in: request.headers)
        guard try await self.callers.serviceKeys.authenticate(key) != nil else {
            let audit = context.audit(.tokenIntrospected, by: nil, isAllowed: false, reason: "invalid_service_key")
            self.callers.audit.record(audit)
            self.count(.hecate, .refused)
            context.logger.info("introspection refused", metadata: ["code": "invalid_service_key"])
            throw BearerCredential.unauthorized("the service key is unknown or revoked", error: "invalid_token")
        }
        var reader = try await FieldReader.body(of: request, fields: ["token"])
        reader.require("token")
        let token = reader.string("token", limit: Self.limit, allowsEmpty: false)
        try reader.finish()
        let (answer, fault) = try await self.service.user(of: token ?? "", issuer: self.issuer.value)
        self.count(.hecate, fault == nil ? .active : .inactive)
        Self.log(fault, context.logger)
        return .json(answer, headers: .notStored)
    }

    private func standard(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let form = try await FormBody.read(request, allowsJSON: false)
        let caller: OAuthCaller
        do {
            caller = try await self.callers.caller(
                request, form, context, "introspection refused", .tokenIntrospected)
        } catch let error as OAuthError {
            self.count(.oauth, .refused)
            throw error
        }
        let token = try form.require("token")
        let (answer, fault) = try await self.service.standard(token, for: caller, issuer: self.issuer.value)
        self.count(.oauth, fault == nil ? .active : .inactive)
        Self.log(fault, context.logger)
        return .json(answer, headers: .notStored)
    }

    private func count(_ kind: IssuerMetrics.Introspection, _ result: IssuerMetrics.IntrospectionResult) {
        self.callers.audit.metrics.introspected(kind, result)
    }

    private static func log(_ fault: String?, _ logger: Logger) {
        if let fault { logger.debug("the token is not active", metadata: ["reason": "\(fault)"]) }
    }
}
