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
                .json(try await self.document(), headers: Self.cached)
            }
        }
    }

    private static var cached: HTTPFields { [.cacheControl: "public, max-age=\(Self.maxAge)"] }

    /// RFC 8414 section 2 lets access token types stand beside the methods of clients: a service key is sent as one.
    private static let serviceKey = "Bearer"

    /// Only what is true: there is no authorization endpoint and no ID token, so nothing is said about them.
    private func document() async throws -> JSONValue {
        let methods = JSONValue.strings(ClientAuthentication.methods)
        let algorithms = JSONValue.strings(ClientAssertion.algorithms.map(\.rawValue))
        return .record([
            ("issuer", .string(self.issuer.value)),
            ("token_endpoint", .string(self.issuer.endpoint("/oauth/token"))),
            ("jwks_uri", .string(self.issuer.endpoint("/.well-known/jwks.json"))),
            ("scopes_supported", .strings(try await self.store.scopes())),
            ("response_types_supported", .strings([])),
            ("grant_types_supported", .strings(["client_credentials"])),
            ("token_endpoint_auth_methods_supported", methods),
            ("token_endpoint_auth_signing_alg_values_supported", algorithms),
            ("revocation_endpoint", .string(self.issuer.endpoint("/oauth/revoke"))),
            ("revocation_endpoint_auth_methods_supported", methods),
            ("revocation_endpoint_auth_signing_alg_values_supported", algorithms),
            ("introspection_endpoint", .string(self.issuer.endpoint("/oauth/introspect"))),
            (
                "introspection_endpoint_auth_methods_supported",
                .strings(ClientAuthentication.methods + [Self.serviceKey])
            ),
            ("introspection_endpoint_auth_signing_alg_values_supported", algorithms),
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
                JSONValue.record([("status", .string("ok"))]), headers: [.cacheControl: "no-store"])
        }
    }
}
