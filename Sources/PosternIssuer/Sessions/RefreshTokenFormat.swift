import PosternCore
import PosternCrypto

/// Refresh tokens: `hrt_` and 43 characters with 256 bits of entropy, stored as HMAC-SHA-256 under a key of their own.
struct RefreshTokenFormat: Sendable {
    static let prefix = "hrt_"

    private let key: HMACKey

    init(key: [UInt8]) {
        self.key = HMACKey(key)
    }

    /// A new token, and what is stored of it.
    func new() -> (token: String, digest: [UInt8]) {
        let token = Self.prefix + Base64URL.encode(Random.bytes(32))
        return (token, self.code(token))
    }

    /// What is stored of a token; nil if it has not the shape of one.
    func digest(_ token: String) -> [UInt8]? {
        let rest = Array(token.utf8.dropFirst(Self.prefix.utf8.count))
        guard token.hasPrefix(Self.prefix), Base64URL.decode(rest.span.bytes)?.count == 32 else { return nil }
        return self.code(token)
    }

    private func code(_ token: String) -> [UInt8] {
        self.key.code(Array(token.utf8))
    }
}
