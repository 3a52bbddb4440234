import HTTPTypes
import PosternCore

extension APIOperation {
    /// Both introspections.
    static let introspection: [APIOperation] = [
        APIOperation(
            method: .post, path: "/auth/introspect", id: "introspectIdentity", tag: .introspection,
            summary: "Whose access token this is, by the store",
            description: "Only users' access tokens are valid here. A changed role or permission shows at once.",
            security: [.serviceKey], body: .json(.reference(.introspectionRequest)),
            answers: [.json(200, "Whose it is, or that it is not valid.", .reference(.identity))] + .bearer + .jsonBody),
        APIOperation(
            method: .post, path: "/oauth/introspect", id: "introspect", tag: .introspection,
            summary: "What a token is worth", description: "RFC 7662, with the holder's rights as they are now.",
            security: [.clientBasic, .inBody, .serviceKey], body: .form(.tokenQuestion),
            answers: [.json(200, "What it is worth.", .reference(.tokenState))] + .oauthClient + .oauthService),
    ]
}
