import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PosternCore

@testable import PosternIssuer

extension TestIssuer {
    static let adminSecret = "admin-secret-0123456789-0123456789-0123"

    /// Registers an administrator of clients; gives the headers that his requests have.
    func administrator(_ clientID: String = "admin", scopes: [String] = [AdminGate.clients]) async throws -> HTTPFields
    {
        try await self.register(clientID, secret: Self.adminSecret, scopes: scopes)
        let request = TokenRequest(.secret(clientID: clientID, secret: Self.adminSecret))
        let token = try await self.issuer.tokens.issue(request, issuer: Self.url)
        return [.authorization: "Bearer \(token.text)"]
    }
}

extension TestClientProtocol {
    /// Sends JSON, or nothing.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: String? = nil, _ headers: HTTPFields
    ) async throws -> TestResponse {
        var headers = headers
        if json != nil { headers[.contentType] = headers[.contentType] ?? "application/json" }
        return try await self.execute(
            uri: path, method: method, headers: headers, body: json.map { ByteBuffer(string: $0) })
    }

    /// The status of a request for a token with a secret.
    func tokenStatus(_ clientID: String, _ secret: String) async throws -> Int {
        let form = "grant_type=client_credentials&client_id=\(clientID)&client_secret=\(secret)"
        return try await self.post("/oauth/token", form).status.code
    }
}
