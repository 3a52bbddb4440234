import PosternCore

extension Schema {
    /// RFC 7517 section 5: what this issuer's tokens are verified with.
    static let keySet = Schema.object([
        .required(
            "keys",
            .array(
                of: .one(of: [
                    .publicKey("RSA", ["n", "e"], algorithms: ["RS256"]),
                    .publicKey("EC", ["crv", "x", "y"], algorithms: ["ES256"]),
                    .publicKey("OKP", ["crv", "x"], algorithms: ["EdDSA"]),
                ])))
    ])

    private static func publicKey(_ type: String, _ numbers: [String], algorithms: [String]) -> Schema {
        .object(
            [
                .required("kty", .choice([type])), .required("kid", .string), .required("use", .choice(["sig"])),
                .required("alg", .choice(algorithms)),
            ] + numbers.map { .required($0, .string) })
    }

    /// RFC 8414 section 2.
    static let metadata = Schema.object([
        .required("issuer", .url), .required("token_endpoint", .url), .required("jwks_uri", .url),
        .required("scopes_supported", .array(of: .scope)), .required("response_types_supported", .array(of: .string)),
        .required("grant_types_supported", .array(of: .string)),
        .required("token_endpoint_auth_methods_supported", .array(of: .string)),
        .required("token_endpoint_auth_signing_alg_values_supported", .array(of: .string)),
        .required("revocation_endpoint", .url),
        .required("revocation_endpoint_auth_methods_supported", .array(of: .string)),
        .required("revocation_endpoint_auth_signing_alg_values_supported", .array(of: .string)),
        .required("introspection_endpoint", .url),
        .required("introspection_endpoint_auth_methods_supported", .array(of: .string)),
        .required("introspection_endpoint_auth_signing_alg_values_supported", .array(of: .string)),
    ])

    /// `/health` while all is well.
    static let health = Schema.object([.required("status", .choice(["ok"]))])
}
