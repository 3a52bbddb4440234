import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct MetadataTests {
    @Test("The key set is served for five minutes of caching")
    func keys() async throws {
        let test = try await TestIssuer()
        try await test.serve { client in
            let response = try await client.execute(uri: "/.well-known/jwks.json", method: .get)
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == "application/jwk-set+json")
            #expect(response.headers[.cacheControl] == "public, max-age=300")
            #expect(String(buffer: response.body) == test.issuer.keys.published)
        }
    }

    @Test(
        "Both metadata documents say the same, and only what is there",
        arguments: [
            "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
        ])
    func document(_ path: String) async throws {
        try await TestIssuer().serve { client in
            let response = try await client.execute(uri: path, method: .get)
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == "application/json")
            #expect(response.headers[.cacheControl] == "public, max-age=300")
            #expect(
                String(buffer: response.body)
                    == """
                    {"issuer":"http://issuer.test","token_endpoint":"http://issuer.test/oauth/token",\
                    "jwks_uri":"http://issuer.test/.well-known/jwks.json","scopes_supported":["trade:read",\
                    "trade:open","trade:close","trade:modify","account:read","account:balance","market:data",\
                    "read:profile","write:profile","service:mt5","admin:system"],"response_types_supported":[],\
                    "grant_types_supported":["client_credentials"],"token_endpoint_auth_methods_supported":\
                    ["client_secret_basic","client_secret_post","private_key_jwt"],\
                    "token_endpoint_auth_signing_alg_values_supported":["RS256","PS256","ES256","EdDSA"],\
                    "revocation_endpoint":"http://issuer.test/oauth/revoke",\
                    "revocation_endpoint_auth_methods_supported":\
                    ["client_secret_basic","client_secret_post","private_key_jwt"],\
                    "revocation_endpoint_auth_signing_alg_values_supported":["RS256","PS256","ES256","EdDSA"],\
                    "introspection_endpoint":"http://issuer.test/oauth/introspect",\
                    "introspection_endpoint_auth_methods_supported":\
                    ["client_secret_basic","client_secret_post","private_key_jwt","Bearer"],\
                    "introspection_endpoint_auth_signing_alg_values_supported":["RS256","PS256","ES256","EdDSA"]}
                    """)
        }
    }

    @Test("Without a configured URL the issuer is the address that is listened on")
    func ownAddress() {
        let url = IssuerURL(configured: nil)
        url.listens(on: ListenAddress(host: "::1", port: 4321))
        #expect(url.value == "http://[::1]:4321")
        let configured = IssuerURL(configured: "https://issuer.example")
        configured.listens(on: ListenAddress(host: "127.0.0.1", port: 1))
        #expect(configured.value == "https://issuer.example")
    }

    @Test("Health is 200 while the store answers and 503 when it does not")
    func health() async throws {
        let test = try await TestIssuer()
        try await test.serve { client in
            let healthy = try await client.execute(uri: "/health", method: .get)
            #expect(healthy.status == .ok)
            #expect(String(buffer: healthy.body) == "{\"status\":\"ok\"}")
            await test.issuer.store.close()
            let broken = try await client.execute(uri: "/health", method: .get)
            #expect(broken.status == .serviceUnavailable)
            #expect(try broken.json["code"]?.string == "store_unavailable")
        }
    }

    @Test("A store that fails makes a token request 500, as a problem and without details")
    func storeFails() async throws {
        let test = try await TestIssuer()
        try await test.serve { client in
            await test.issuer.store.close()
            let response = try await client.post("/oauth/token", "grant_type=client_credentials&" + TestIssuer.form())
            #expect(response.status == .internalServerError)
            #expect(response.headers[.contentType] == "application/problem+json")
            #expect(try response.json["code"]?.string == "internal_error")
            #expect(!test.log.text.contains(TestIssuer.dashboardSecret))
        }
    }

    @Test(
        "Everything else is a problem document",
        arguments: [
            (HTTPRequest.Method.get, "/", 404, "not_found", nil),
            (.get, "/api/v1/admin", 404, "not_found", nil),
            (.get, "/auth/introspect", 405, "method_not_allowed", "POST"),
            (.put, "/api/v1/admin/users", 405, "method_not_allowed", "GET, HEAD, POST"),
            (.post, "/api/v1/admin/users/x", 405, "method_not_allowed", "DELETE, GET, HEAD, PATCH"),
            (.delete, "/auth/login", 405, "method_not_allowed", "POST"),
            (.get, "/oauth/token", 405, "method_not_allowed", "POST"),
            (.get, "/oauth/revoke", 405, "method_not_allowed", "POST"),
            (.put, "/api/v1/admin/service-clients", 405, "method_not_allowed", "GET, HEAD, POST"),
            (.post, "/api/v1/admin/service-clients/x", 405, "method_not_allowed", "DELETE, GET, HEAD, PATCH"),
            (.get, "/api/v1/admin/service-clients/x/rotate-secret", 405, "method_not_allowed", "POST"),
            (.get, "/api/v1/admin/service-clients/x/y", 404, "not_found", nil),
            (.get, "/auth/service-keys/x", 405, "method_not_allowed", "DELETE"),
            (.head, "/oauth/token", 405, "method_not_allowed", "POST"),
            (.delete, "/api/v1/auth/service-token", 405, "method_not_allowed", "POST"),
            (.post, "/.well-known/jwks.json", 405, "method_not_allowed", "GET, HEAD"),
            (.put, "/health", 405, "method_not_allowed", "GET, HEAD"),
        ] as [(HTTPRequest.Method, String, Int, String, String?)])
    func problems(
        _ method: HTTPRequest.Method, _ path: String, _ status: Int, _ code: String, _ allow: String?
    ) async throws {
        try await TestIssuer().serve { client in
            let response = try await client.execute(uri: path, method: method)
            #expect(response.status.code == status)
            #expect(response.headers[.contentType] == "application/problem+json")
            #expect(response.headers[.cacheControl] == "no-store")
            #expect(response.headers[.allow] == allow)
            let json = try response.json
            #expect(json["type"]?.string == "urn:postern:problem:\(code)")
            #expect(json["code"]?.string == code)
            #expect(json["status"] == .integer(status))
            #expect(json["detail"]?.string?.isEmpty == false)
            #expect(json["request_id"]?.string?.isEmpty == false)
        }
    }

    @Test("HEAD gets the head alone")
    func head() async throws {
        try await TestIssuer().serve { client in
            let response = try await client.execute(uri: "/.well-known/jwks.json", method: .head)
            #expect(response.status == .ok)
            #expect(response.body.readableBytes == 0)
        }
    }
}
