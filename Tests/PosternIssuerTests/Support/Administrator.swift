import HTTPTypes
import Hummingbird
import HummingbirdTesting

@testable import PosternIssuer

extension TestIssuer {
    /// Registers a client that administers clients; gives a token of it.
    func administrator(_ clientID: String = "admin", scopes: [String] = [AdminGate.clients]) async throws -> String {
        try await self.register(clientID, secret: Self.adminSecret, scopes: scopes)
        let request = TokenRequest(.secret(clientID: clientID, secret: Self.adminSecret))
        return try await self.issuer.tokens.issue(request, issuer: Self.url).text
    }
}

extension TestClientProtocol {
    /// The status of a request for a token with a secret.
    func tokenStatus(_ clientID: String, _ secret: String) async throws -> Int {
        let form = "grant_type=client_credentials&client_id=\(clientID)&client_secret=\(secret)"
        return try await self.post("/oauth/token", form).status.code
    }
}
