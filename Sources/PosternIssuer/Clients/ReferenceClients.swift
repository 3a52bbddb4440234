/// The scopes and the two clients of the reference deployment, which `--dev` registers.
enum ReferenceClients {
    static let scopes = [
        "trade:read", "trade:open", "trade:close", "trade:modify", "account:read", "account:balance", "market:data",
        "read:profile", "write:profile", "service:mt5", "admin:system",
    ]

    static var all: [ServiceClient] {
        [
            // Loopback besides the private networks: --dev is used from the same machine.
            ServiceClient(
                clientID: "mt5-api-service", isTrusted: true, accessTokenLifetime: 3600,
                rateLimits: RateLimits(perMinute: 300, perHour: 10000),
                allowedAddresses: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].compactMap(AddressBlock.init)
                    + AddressBlock.loopback,
                scopes: [
                    "trade:open", "trade:close", "trade:modify", "account:read", "account:balance", "market:data",
                    "service:mt5",
                ]),
            ServiceClient(
                clientID: "trading-dashboard", accessTokenLifetime: 1800,
                rateLimits: RateLimits(perMinute: 120, perHour: 5000),
                scopes: ["read:profile", "write:profile", "trade:read", "trade:open", "account:read", "market:data"]),
        ]
    }

    /// The variable (after `POSTERN_ISSUER_`) that sets a client's secret: `DEV_SECRET_MT5_API_SERVICE`.
    static func secretVariable(_ clientID: String) -> String {
        "DEV_SECRET_" + clientID.uppercased().replacing("-", with: "_")
    }
}
