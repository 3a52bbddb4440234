/// A registered client of the token endpoints.
struct ServiceClient: Equatable, Sendable {
    var clientID: String
    var isActive: Bool
    var isTrusted: Bool
    /// Seconds.
    var accessTokenLifetime: Int
    var rateLimits: RateLimits
    /// Where it may call from; empty: from anywhere.
    var allowedAddresses: [AddressBlock]
    /// The scopes it may be given, in the order in which they were registered.
    var scopes: [String]

    /// Whether a request from `peer` may be served. An unknown peer is outside every list.
    func allows(_ peer: Address?) -> Bool {
        if self.allowedAddresses.isEmpty { return true }
        guard let peer else { return false }
        return self.allowedAddresses.contains { $0.contains(peer) }
    }
}

/// How many tokens a client may ask for.
struct RateLimits: Equatable, Sendable {
    var perMinute: Int
    var perHour: Int
}
