import PosternCore
import PosternCrypto

/// What the operations work on: a request and a response of usual size, and a policy of usual shape.
enum Samples {
    /// Eight fields, one of them a token of about 900 bytes.
    static func request(token: String = SignedTokens.rs256) -> [UInt8] {
        let lines = [
            "GET /api/v1/users/5f2b7a52/orders?limit=50 HTTP/1.1", "Host: mt5.example.test",
            "User-Agent: trading-dashboard/4.2 (linux; x86_64)", "Accept: application/json",
            "Accept-Encoding: gzip, deflate", "Accept-Language: en-GB,en;q=0.8", "Cache-Control: no-cache",
            "X-Client-Version: 4.2.0", "Authorization: Bearer \(token)",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    static let response = Array(
        """
        HTTP/1.1 200 OK\r\nServer: demo\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r
        Cache-Control: no-store\r\nVary: Accept-Encoding\r\nConnection: keep-alive\r\nContent-Length: 118\r\n\r\n
        """.utf8)

    static let limits = HeadLimits()

    /// The routes of the reference service.
    private static let routes: [(key: String, access: Access)] = [
        ("GET /health", .open),
        ("GET /api/v1/trades", .required(Requirement(scopes: ["trade:read", "account:read"]))),
        ("POST /api/v1/trades", .required(Requirement(scopes: ["trade:open"]))),
        ("DELETE /api/v1/trades/{trade_id}", .required(Requirement(scopes: ["trade:close"]))),
        ("GET /api/v1/account", .required(Requirement(scopes: ["account:read"]))),
        ("GET /api/v1/market/{symbol}", .required(Requirement(scopes: ["market:data"]))),
        (
            "GET /api/v1/users/{user_id}/orders",
            .required(Requirement(scopes: ["trade:read", "account:read"], roles: ["trader"]))
        ),
        ("ANY /internal/{rest...}", .denied),
    ]

    static func gate() throws -> Gate {
        let patterns = try Self.routes.map { try RoutePattern.parse($0.key, options: TargetOptions()) }
        func rules(_ label: String) -> RouteRules {
            RouteRules(label: label, responseTimeout: 30_000_000_000, bodyLimit: nil, forwardToken: false, upstream: 0)
        }
        return Gate(
            target: TargetOptions(), tokenLimit: 8192, routes: try RouteTable(patterns),
            policy: PolicyCatalogue(zip(patterns, Self.routes).map { (pattern: $0, access: $1.access) }),
            rules: Self.routes.map { rules($0.key) }, fallback: rules("default"), identity: IdentityRules(),
            generation: 1)
    }

    static let issuer = IssuerRules(name: "main", issuer: "https://issuer.test", audiences: ["mt5-api"])

    static func keys() throws -> KeySet<PublicKey> {
        let json = Array(SignedTokens.keys.utf8)
        let loaded = KeySet<PublicKey>.load(try JWKSet(json.span.bytes))
        guard loaded.keys.keys.count == 3 else { throw WrongResult("\(loaded.skipped)") }
        return loaded.keys
    }

    /// The caller of the sample tokens.
    static func principal() throws -> Principal {
        let token = Array(SignedTokens.rs256.utf8)
        let validation = LocalValidation(verifier: OpenSSLVerifier()).check(
            bytes: token.span.bytes, rules: Self.issuer, keys: try Self.keys(), now: SignedTokens.now)
        guard case .valid(let principal) = validation else { throw WrongResult("\(validation)") }
        return principal
    }

    static func verifiedToken(_ gate: Gate) throws -> VerifiedToken {
        try gate.verifiedToken(for: try Self.principal()).get()
    }

    /// A request head, read.
    static func read(_ bytes: [UInt8]) throws -> RequestHead {
        var scanner = HeadScanner()
        guard case .complete(let end) = scanner.scan(bytes.span.bytes, limits: Self.limits) else {
            throw WrongResult("the request head is not complete")
        }
        var head = RequestHead()
        try head.read(bytes.span.bytes, scanner, end: end, limits: Self.limits)
        return head
    }
}
