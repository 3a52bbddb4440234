import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import PosternIssuer

/// A client that holds every answer against the issuer's description: so each test of an endpoint is one of the contract.
struct ContractClient: TestClientProtocol {
    let client: any TestClientProtocol

    var port: Int? { self.client.port }

    func executeRequest(
        uri: String, method: HTTPRequest.Method, headers: HTTPFields, body: ByteBuffer?
    ) async throws -> TestResponse {
        let response = try await self.client.executeRequest(uri: uri, method: method, headers: headers, body: body)
        let served = ServedRequest(
            method: method, uri: uri, requestHeaders: headers, requestBody: body.map { String(buffer: $0) } ?? "",
            status: response.status.code, headers: response.headers, body: String(buffer: response.body))
        for fault in Contract.issuer.faults(served) {
            Issue.record("\(method.rawValue) \(uri) → \(response.status.code): /openapi.json says otherwise: \(fault)")
        }
        return response
    }
}
