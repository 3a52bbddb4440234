import PosternCrypto

/// Recognizes the keys with which services introspect.
protocol ServiceKeyAuthenticating: Sendable {
    /// The active key that this is, or nil. Throws what the store throws.
    func authenticate(_ key: String) async throws -> ServiceKey?
}

/// Asks the store.
struct StoredServiceKeys: ServiceKeyAuthenticating {
    let store: any IssuerStore
    let pepper: [UInt8]

    func authenticate(_ key: String) async throws -> ServiceKey? {
        try await self.store.serviceKey(digest: self.digest(key))
    }

    /// What is stored of a key.
    func digest(_ key: String) -> [UInt8] {
        HMAC.sha256(key: self.pepper, message: Array(key.utf8))
    }
}
