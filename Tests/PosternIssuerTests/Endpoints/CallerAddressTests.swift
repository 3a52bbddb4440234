import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

/// Over real connections, whose peer is 127.0.0.1.
@Suite struct CallerAddressTests {
    private static let form = "client_id=mt5-api-service&client_secret=\(TestIssuer.serviceSecret)"

    private func status(_ test: TestIssuer, _ forwardedFor: [String]) async throws -> Int {
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        let status = AsyncStream.makeStream(of: Int.self)
        try await test.serve(.live) { client in
            var headers: HTTPFields = [:]
            headers[values: name] = forwardedFor
            status.continuation.yield(
                try await client.post("/api/v1/auth/service-token", Self.form, headers).status.code)
        }
        return await status.stream.first { _ in true } ?? 0
    }

    @Test(
        "Behind a trusted proxy the caller's address decides, and the audit log has it",
        arguments: [
            ([], 200, "127.0.0.1"), (["10.1.2.3"], 200, "10.1.2.3"), (["203.0.113.9"], 403, "203.0.113.9"),
            (["10.1.2.3, 203.0.113.9"], 403, "203.0.113.9"), (["10.1.2.3", "203.0.113.9"], 403, "203.0.113.9"),
            (["203.0.113.9, 10.1.2.3"], 200, "10.1.2.3"), (["2001:db8::1"], 403, "2001:db8::1"), (["x"], 403, nil),
        ] as [([String], Int, String?)])
    func behindProxy(_ header: [String], _ status: Int, _ address: String?) async throws {
        let test = try await TestIssuer(trustedProxies: ["127.0.0.0/8"])
        #expect(try await self.status(test, header) == status)
        let line = try #require(test.auditLines.text.split(separator: "\n").last)
        let entry = try JSONReader.parse(Array(line.utf8).span.bytes)
        #expect(entry["action"]?.string == "token.issue" && entry["allowed"] == .bool(status == 200))
        #expect(entry["actor"]?.string == "client:mt5-api-service")
        #expect(entry["address"]?.string == address)
        #expect(entry["reason"]?.string == (status == 200 ? nil : "address_not_allowed"))
    }

    @Test("Without one the header is what a stranger wrote", arguments: [[], ["10.0.0.0/8"]])
    func spoofed(_ proxies: [String]) async throws {
        let test = try await TestIssuer(trustedProxies: proxies)
        // Loopback is allowed, the address that is claimed is not: it is not looked at.
        #expect(try await self.status(test, ["203.0.113.9"]) == 200)
        #expect(test.auditLines.text.contains(#""address":"127.0.0.1""#))
        #expect(!test.auditLines.text.contains("203.0.113.9"))
    }
}
