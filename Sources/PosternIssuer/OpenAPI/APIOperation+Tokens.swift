import HTTPTypes
import PosternCore

extension APIOperation {
    private static let given = APIAnswer.json(200, "A token.", .reference(.token))

    /// The token endpoints.
    static let tokens: [APIOperation] = [
        APIOperation(
            method: .post, path: "/oauth/token", id: "token", tag: .tokens,
            summary: "A token for a client's own credentials",
            description: """
                RFC 6749 section 4.4. The client authenticates by exactly one of HTTP Basic, `client_secret` in the form, and \
                `client_assertion` (RFC 7523).
                """,
            security: [.clientBasic, .inBody], body: .form(.tokenRequest),
            answers: [given] + .oauthClient + .grant + [
                .oauth(400, .unsupportedGrantType, "`grant_type` is another than `client_credentials`.")
            ]),
        APIOperation(
            method: .post, path: "/api/v1/auth/service-token", id: "serviceToken", tag: .tokens,
            summary: "The same in the shape of the reference deployment", security: [.inBody],
            body: APIBody(schemas: [
                ("application/x-www-form-urlencoded", .serviceTokenForm),
                ("application/json", .serviceTokenJSON),
            ]),
            answers: [given] + .oauthClient + .grant),
    ]

    /// `/oauth/revoke`.
    static let revocation: [APIOperation] = [
        APIOperation(
            method: .post, path: "/oauth/revoke", id: "revoke", tag: .tokens, summary: "Ends a token",
            description: """
                RFC 7009, for access and refresh tokens; a refresh token ends its session. A client may revoke what was \
                issued to it or through it, one with the scope \(AdminGate.clients) every token, a service key every \
                user's.
                """,
            security: [.clientBasic, .inBody, .serviceKey], body: .form(.tokenQuestion),
            answers: [
                .empty(200, "The token is revoked, or was no valid one.", headers: [.notStored]),
                .oauth(400, .invalidGrant, "The token was issued to another client."),
            ] + .oauthClient + .oauthService)
    ]
}

extension [APIAnswer] {
    /// Of every OAuth endpoint at which a client authenticates.
    static let oauthClient: [APIAnswer] = [
        .oauth(400, .invalidRequest, "A parameter is missing or given twice, or the body has another type."),
        .oauth(
            401, .invalidClient, "The credentials are missing or wrong, or the client is not active.",
            headers: [.basicChallenge.sometimes]),
        .oauth(403, .accessDenied, "The client may not be used from this address (`allowed_ips`)."),
        .oauth(413, .invalidRequest, "The body is longer than \(FormBody.limit) octets."),
    ]

    /// Of every OAuth endpoint that takes a service key as well.
    static let oauthService: [APIAnswer] = [
        .oauth(401, .invalidClient, "The service key is unknown or revoked.", headers: [.bearerChallenge])
    ]

    /// Of every endpoint that hands out a client's token.
    static let grant: [APIAnswer] = [
        .oauth(400, .invalidScope, "The client does not have the scope."),
        .oauth(429, .slowDown, "Over the client's limits.", headers: [.retryAfter]),
    ]
}
