import HTTPTypes
import Hummingbird
import Logging
import PosternCore

/// `POST /auth/login`, `/auth/refresh` and `/auth/logout-all`.
struct SessionEndpoints: Sendable {
    let service: SessionService
    let gate: AdminGate
    let issuer: IssuerURL

    func register(in routes: inout RouteList) {
        routes.on(.post, "/auth/login") { try await self.login($0, $1) }
        routes.on(.post, "/auth/refresh") { try await self.refresh($0, $1) }
        routes.on(.post, "/auth/logout-all") { try await self.logoutAll($0, $1) }
    }

    private func login(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let login = try await Self.readLogin(request, context)
        do {
            let issued = try await self.service.login(
                login, issuer: self.issuer.value, audit: context.audit(.userLogin, by: nil))
            return Self.answer(issued, "user logged in", context.logger)
        } catch let refusal as SessionRefusal {
            throw Self.problem(refusal, "login refused", context.logger)
        }
    }

    private func refresh(_ request: Request, _ context: IssuerContext) async throws -> Response {
        var reader = try await FieldReader.body(of: request, fields: ["refresh_token"])
        reader.require("refresh_token")
        let token = reader.string("refresh_token", limit: 1024, allowsEmpty: false)
        try reader.finish()
        do {
            let issued = try await self.service.refresh(
                token ?? "", issuer: self.issuer.value, audit: context.audit(.userRefresh, by: nil))
            return Self.answer(issued, "session refreshed", context.logger)
        } catch let refusal as SessionRefusal {
            throw Self.problem(refusal, "refresh refused", context.logger)
        }
    }

    private func logoutAll(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let caller = try await self.gate.caller(request, context, .userLogoutAll)
        var reader = try await FieldReader.optionalBody(of: request, fields: ["user_id"])
        let wanted = reader.string("user_id", limit: 64, allowsEmpty: false)
        if caller.userID == nil { reader.require("user_id") }
        try reader.finish()
        guard let userID = wanted ?? caller.userID else { throw Problem.internalError }
        if userID != caller.userID { try self.gate.require(AdminGate.users, of: caller, context, .userLogoutAll) }
        do {
            try await self.service.logoutAll(
                userID, audit: context.audit(.userLogoutAll, by: caller.actor))
        } catch StoreRefusal.missing {
            throw Problem.missing("there is no such user")
        }
        context.logger.info(
            "all sessions ended", metadata: ["user_id": "\(userID)", "by": "\(caller.actor)"])
        return Response(status: .noContent)
    }

    private static func readLogin(_ request: Request, _ context: IssuerContext) async throws -> LoginRequest {
        var reader = try await FieldReader.body(
            of: request, fields: ["username", "password", "client_id", "client_secret"])
        reader.require("username", "password")
        let username = reader.string("username")
        let password = reader.string("password", limit: UserFields.passwordLength.upperBound * 4)
        let clientID = reader.string("client_id", limit: 1024, allowsEmpty: false)
        let secret = reader.string("client_secret", limit: 1024, allowsEmpty: false)
        if reader.has("client_id") { reader.require("client_secret") }
        if reader.has("client_secret") { reader.require("client_id") }
        try reader.finish()
        var client: (id: String, secret: String)?
        if let clientID, let secret { client = (clientID, secret) }
        return LoginRequest(
            username: username ?? "", password: password ?? "", client: client, address: context.address)
    }

    private static func answer(_ issued: IssuedSession, _ message: Logger.Message, _ logger: Logger) -> Response {
        logger.info(message, metadata: ["user_id": "\(issued.userID)", "jti": "\(issued.accessTokenID)"])
        let body = JSONValue.record([
            ("access_token", .string(issued.accessToken)),
            ("token_type", .string("Bearer")),
            ("expires_in", .integer(issued.accessLifetime)),
            ("refresh_token", .string(issued.refreshToken)),
            ("refresh_expires_in", .integer(issued.refreshLifetime)),
            ("scope", .string(ScopeList.text(issued.scopes))),
        ])
        return .json(body, headers: .notStored)
    }

    private static func problem(
        _ refusal: SessionRefusal, _ message: Logger.Message, _ logger: Logger
    ) -> Problem {
        let problem = Problem(refusal)
        logger.info(message, metadata: ["code": "\(problem.code)"])
        return problem
    }
}

extension Problem {
    /// The answer for a refusal.
    init(_ refusal: SessionRefusal) {
        switch refusal {
        case .invalidCredentials:
            self.init(
                status: .unauthorized, code: "invalid_credentials", title: "Unauthorized",
                detail: "the username or the password is wrong, or the account cannot be used",
                extraHeaders: [.wwwAuthenticate: BearerCredential.challenge(error: nil)])
        case .invalidGrant:
            self.init(
                status: .unauthorized, code: "invalid_grant", title: "Unauthorized",
                detail: "the refresh token is unknown, expired or revoked, or was used before; log in again",
                extraHeaders: [.wwwAuthenticate: BearerCredential.challenge(error: nil)])
        case .throttled(let seconds):
            self.init(
                status: .tooManyRequests, code: "too_many_failures", title: "Too many failures",
                detail: "too many logins have failed; try again later", extraHeaders: [.retryAfter: String(seconds)])
        case .overloaded(let seconds):
            self = .overloaded(retryAfter: seconds)
        case .client(.addressNotAllowed):
            self.init(
                status: .forbidden, code: "access_denied", title: "Forbidden",
                detail: "the client may not be used from this address")
        case .client(.inactive):
            self.init(
                status: .unauthorized, code: "invalid_client", title: "Unauthorized",
                detail: "the client is not active",
                extraHeaders: [.wwwAuthenticate: BearerCredential.challenge(error: nil)])
        case .client:
            self.init(
                status: .unauthorized, code: "invalid_client", title: "Unauthorized",
                detail: "the client is unknown or its secret is wrong",
                extraHeaders: [.wwwAuthenticate: BearerCredential.challenge(error: nil)])
        }
    }
}
