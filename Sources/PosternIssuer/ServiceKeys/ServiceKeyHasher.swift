import PosternCore
import PosternCrypto

/// Service keys: `hsk_` and 43 characters with 256 bits of entropy, stored as HMAC-SHA-256 under a pepper of their own.
struct ServiceKeyHasher: Sendable {
    static let mark = "hsk_"
    /// Characters by which a key is recognized, of which 8 are random.
    static let prefixLength = 12

    private let pepper: HMACKey

    init(pepper: [UInt8]) {
        self.pepper = HMACKey(pepper)
    }

    static func newKey() -> String {
        Self.mark + Base64URL.encode(Random.bytes(32))
    }

    /// What is stored, and what a key is found by.
    func digest(_ key: String) -> [UInt8] {
        self.pepper.code(Array(key.utf8))
    }
}
