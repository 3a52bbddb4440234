import HTTPTypes
import PosternCore

extension APIOperation {
    private static func document(_ path: String, _ id: String, _ summary: String) -> APIOperation {
        APIOperation(
            method: .get, path: path, id: id, tag: .metadata, summary: summary,
            answers: [.json(200, "The metadata.", .reference(.metadata), headers: [.cached])])
    }

    /// What anybody may read.
    static let metadata: [APIOperation] = [
        APIOperation(
            method: .get, path: "/.well-known/jwks.json", id: "keys", tag: .metadata,
            summary: "The public keys: the current ones, the next, and old ones until their last token is over",
            answers: [
                .json(
                    200, "A JWK set (RFC 7517).", .reference(.keySet), type: "application/jwk-set+json",
                    headers: [.cached])
            ], usesStore: false),
        document("/.well-known/oauth-authorization-server", "metadata", "Metadata (RFC 8414)"),
        document(
            "/.well-known/openid-configuration", "openidMetadata", "The same, for clients that know only this name"),
        APIOperation(
            method: .get, path: "/health", id: "health", tag: .metadata, summary: "Whether the issuer can work",
            answers: [
                .json(200, "It can.", .reference(.health)),
                .problem(503, "store_unavailable", "The store does not answer."),
            ], usesStore: false),
        APIOperation(
            method: .get, path: "/openapi.json", id: "openapi", tag: .metadata, summary: "This document",
            parameters: [.header("If-None-Match", "The `ETag` of what the caller has.")],
            answers: [
                .json(
                    200, "OpenAPI 3.1.",
                    .object([.required("openapi", .choice(["3.1.0"]))], others: .anything), headers: [.cached, .tag]),
                .empty(304, "`If-None-Match` names it already.", headers: [.cached, .tag]),
            ], usesStore: false),
    ]
}
