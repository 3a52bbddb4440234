/// A registered client of the token endpoints.
struct ServiceClient: Equatable, Sendable {
    var clientID: String
    /// For people.
    var name: String
    var description: String
    var isActive: Bool
    var isTrusted: Bool
    /// Seconds, of access tokens.
    var accessTokenLifetime: Int
    /// Seconds, of the refresh tokens of users who log in through it.
    var refreshTokenLifetime: Int
    var rateLimits: RateLimits
    /// Empty: none was given.
    var contactEmail: String
    /// Where it may call from; empty: from anywhere.
    var allowedAddresses: [AddressBlock]
    /// The scopes it may be given, in the order in which they were registered.
    var scopes: [String]
    /// A JWK set (RFC 7517) with the public keys of its assertions (RFC 7523), as JSON; nil: it has none.
    var keySet: String?
    /// Unix seconds.
    var createdAt: Int
    var updatedAt: Int
    /// Tokens with an earlier `iat` (Unix seconds) are revoked; 0: none was. Kept by the store.
    var tokensValidFrom: Int

    init(
        clientID: String, name: String? = nil, description: String = "", isActive: Bool = true, isTrusted: Bool = false,
        accessTokenLifetime: Int = 3600, refreshTokenLifetime: Int = 86400,
        rateLimits: RateLimits = RateLimits(perMinute: 60, perHour: 1000), contactEmail: String = "",
        allowedAddresses: [AddressBlock] = [], scopes: [String] = [], keySet: String? = nil, createdAt: Int = 0,
        updatedAt: Int = 0, tokensValidFrom: Int = 0
    ) {
        self.clientID = clientID
        self.name = name ?? clientID
        self.description = description
        self.isActive = isActive
        self.isTrusted = isTrusted
        self.accessTokenLifetime = accessTokenLifetime
        self.refreshTokenLifetime = refreshTokenLifetime
        self.rateLimits = rateLimits
        self.contactEmail = contactEmail
        self.allowedAddresses = allowedAddresses
        self.scopes = scopes
        self.keySet = keySet
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.tokensValidFrom = tokensValidFrom
    }

    /// Whether a request from `address` may be served. An unknown address is outside every list.
    func allows(_ address: Address?) -> Bool {
        if self.allowedAddresses.isEmpty { return true }
        guard let address else { return false }
        return self.allowedAddresses.contains { $0.contains(address) }
    }
}

/// How many tokens a client may ask for.
struct RateLimits: Equatable, Sendable {
    var perMinute: Int
    var perHour: Int
}
