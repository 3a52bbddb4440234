import HTTPTypes
import Hummingbird
import Logging
import PosternCore

/// The public keys and the metadata (RFC 8414; the same under the OpenID Connect name, for clients that know only that).
struct MetadataEndpoints: Sendable {
    /// How long keys and metadata may be cached, in seconds. A new key is published at least this long before it signs.
    static let maxAge = 300

    let keys: KeyRing
    let store: any IssuerStore
    let issuer: IssuerURL

    func register(in routes: inout RouteList) {
        routes.on(.get, "/.well-known/jwks.json") { _, _ in
            .json(self.keys.published, contentType: "application/jwk-set+json", headers: Self.cached)
        }
        for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            routes.on(.get, path) { _, _ in
                .json(try await self.document().serialized(), headers: Self.cached)
            }
        }
    }

    private static var cached: HTTPFields { [.cacheControl: "public, max-age=\(Self.maxAge)"] }

    private static let authentication = ["client_secret_basic", "client_secret_post"]

    /// Only what is true: there is no authorization endpoint and no ID token, so nothing is said about them.
    private func document() async throws -> JSONValue {
        let issuer = self.issuer.value
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        return .record([
            ("issuer", .string(issuer)),
            ("token_endpoint", .string(base + "/oauth/token")),
            ("jwks_uri", .string(base + "/.well-known/jwks.json")),
            ("scopes_supported", .strings(try await self.store.scopes())),
            ("response_types_supported", .strings([])),
            ("grant_types_supported", .strings(["client_credentials"])),
            ("token_endpoint_auth_methods_supported", .strings(Self.authentication)),
            ("revocation_endpoint", .string(base + "/oauth/revoke")),
            ("revocation_endpoint_auth_methods_supported", .strings(Self.authentication)),
        ])
    }
}

/// `GET /health`: 200 while the store answers, else 503.
struct HealthEndpoint: Sendable {
    let store: any IssuerStore

    func register(in routes: inout RouteList) {
        routes.on(.get, "/health") { _, context in
            do {
                try await self.store.ping()
            } catch {
                context.logger.error("the store does not answer", metadata: ["error": "\(error)"])
                throw Problem.storeUnavailable
            }
            return .json(
                JSONValue.record([("status", .string("ok"))]).serialized(), headers: [.cacheControl: "no-store"])
        }
    }
}
