import PosternCore

/// One way to prove who asks.
enum APISecurity: Sendable {
    /// HTTP Basic with a client's id and secret (RFC 6749 section 2.3.1).
    case clientBasic
    /// A client's id and secret, or its assertion, in the body: OpenAPI has no scheme for it, so the body describes it.
    case inBody
    /// A client's access token with this scope.
    case clientToken(String)
    /// A user's access token.
    case userToken
    /// A service key.
    case serviceKey

    /// Whoever administers: a client with the scope, or a user who is an administrator.
    static func administrator(_ scope: String) -> [APISecurity] { [.clientToken(scope), .userToken] }

    /// As operations name it.
    var json: JSONValue {
        switch self {
        case .clientBasic: .record([("clientBasic", .array([]))])
        case .inBody: .record([])
        case .clientToken(let scope): .record([("clientToken", .strings([scope]))])
        case .userToken: .record([("userToken", .array([]))])
        case .serviceKey: .record([("serviceKey", .array([]))])
        }
    }

    /// The schemes that operations name.
    ///
    /// - Parameter base: The issuer's URL without a slash at its end.
    static func schemes(base: String) -> JSONValue {
        .record([
            ("clientBasic", self.http("basic", nil, "A client's `client_id` and `client_secret`, each form-encoded.")),
            ("clientToken", self.clientToken(base: base)),
            (
                "userToken",
                self.http("bearer", "JWT", "The access token of a user: of `/auth/login` or `/auth/refresh`.")
            ),
            ("serviceKey", self.http("bearer", "hsk_…", "A service key: the `api_key` of `POST /auth/service-keys`.")),
        ])
    }

    private static func http(_ scheme: String, _ format: String?, _ description: String) -> JSONValue {
        let format = format.map { [("bearerFormat", JSONValue.string($0))] } ?? []
        return .record(
            [("type", .string("http")), ("scheme", .string(scheme))] + format
                + [("description", .string(description))])
    }

    private static func clientToken(base: String) -> JSONValue {
        let scopes = JSONValue.record([
            (AdminGate.clients, .string("Registers and changes clients and service keys; revokes every token.")),
            (AdminGate.users, .string("Creates and changes users.")),
        ])
        let flow = JSONValue.record([("tokenUrl", .string(base + "/oauth/token")), ("scopes", scopes)])
        return .record([
            ("type", .string("oauth2")), ("flows", .record([("clientCredentials", flow)])),
            ("description", .string("The access token of a client, sent as a bearer token.")),
        ])
    }
}
