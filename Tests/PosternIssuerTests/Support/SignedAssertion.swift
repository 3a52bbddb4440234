import PosternCore
import PosternCrypto

@testable import PosternIssuer

/// A client's assertion (RFC 7523), right until something of it is changed.
struct SignedAssertion: Sendable {
    var algorithm: String
    var header: [(String, JSONValue)]
    var claims: [(String, JSONValue)]
    /// Makes the signature.
    var sign: @Sendable ([UInt8]) throws -> [UInt8]

    /// What the dashboard sends to the token endpoint.
    init(_ key: SigningKey, jti: String = "j1", now: Int = 1_760_000_000) {
        self.algorithm = key.algorithm.rawValue
        self.header = [("kid", .string("k1"))]
        self.claims = [
            ("iss", .string("trading-dashboard")), ("sub", .string("trading-dashboard")),
            ("aud", .string(TestIssuer.url)), ("exp", .integer(now + 60)), ("iat", .integer(now)),
            ("jti", .string(jti)),
        ]
        self.sign = { try key.sign($0) }
    }

    /// Sets or, with nil, removes a claim.
    func with(_ name: String, _ value: JSONValue?) -> SignedAssertion {
        var copy = self
        copy.claims.removeAll { $0.0 == name }
        if let value { copy.claims.append((name, value)) }
        return copy
    }

    /// Sets or, with nil, removes a member of the header.
    func header(_ name: String, _ value: JSONValue?) -> SignedAssertion {
        var copy = self
        copy.header.removeAll { $0.0 == name }
        if let value { copy.header.append((name, value)) }
        return copy
    }

    /// With another algorithm in the header, and another way to sign.
    func signed(
        _ algorithm: String, by sign: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) -> SignedAssertion {
        var copy = self
        (copy.algorithm, copy.sign) = (algorithm, sign)
        return copy
    }

    func text() throws -> String {
        let parts = [JSONValue.record([("alg", .string(self.algorithm))] + self.header), .record(self.claims)]
        let input = parts.map { Base64URL.encode(Array($0.serialized().utf8)) }.joined(separator: ".")
        return input + "." + Base64URL.encode(try self.sign(Array(input.utf8)))
    }

    /// The parameters of a form that authenticates with it.
    func form() throws -> String {
        let type = ClientAssertion.type.replacing(":", with: "%3A")
        return "client_assertion_type=\(type)&client_assertion=\(try self.text())"
    }
}

extension TestIssuer {
    /// Registers keys for the dashboard.
    func registerKeys(_ keys: [JSONValue]) async throws {
        let json = JSONValue.record([("jwks", .record([("keys", .array(keys))]))])
        var reader = FieldReader(json, fields: ServiceClientFields.changeable)
        let change = ServiceClientFields.change(&reader)
        try reader.finish()
        _ = try await self.issuer.clients.change("trading-dashboard", change, audit: .test)
    }
}
