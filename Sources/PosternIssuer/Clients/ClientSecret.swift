import PosternCore
import PosternCrypto

/// Client secrets: 32 characters with 192 bits of entropy, stored as HMAC-SHA-256 under a pepper. Because a secret is
/// random, a slow password hash would add nothing but a slow token endpoint.
struct ClientSecretHasher: Sendable {
    private let pepper: HMACKey
    /// What an unknown client's secret is compared with: as long as a real digest, and equal to none.
    private let decoy: [UInt8]

    init(pepper: [UInt8]) {
        self.pepper = HMACKey(pepper)
        self.decoy = Random.bytes(32)
    }

    /// 32 characters.
    static func newSecret() -> String {
        Base64URL.encode(Random.bytes(24))
    }

    /// What is stored. Bound to the client, so that one client's digest is worth nothing in another's row.
    func digest(_ secret: String, of clientID: String) -> [UInt8] {
        self.pepper.code(Array(clientID.utf8) + [0] + Array(secret.utf8))
    }

    /// Whether `secret` is one of those stored. Takes the same time for a right, a wrong, and (with `stored` empty) an
    /// unknown client's secret.
    func matches(_ secret: String, of clientID: String, stored: [[UInt8]]) -> Bool {
        let digest = self.digest(secret, of: clientID)
        var found = false
        for candidate in stored.isEmpty ? [self.decoy] : stored {
            let equal = constantTimeEquals(digest, candidate)
            found = found || equal
        }
        return found && !stored.isEmpty
    }
}
