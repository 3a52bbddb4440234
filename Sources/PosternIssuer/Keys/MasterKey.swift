import PosternCore
import PosternCrypto

/// The one secret outside the store. What is used inside is derived from it (RFC 5869), each for one purpose, so that no
/// use can weaken another.
struct MasterKey: Sendable {
    static let length = 32

    /// Encrypts the private keys in the store.
    let sealing: [UInt8]
    /// Under which client secrets are hashed.
    let pepper: [UInt8]
    /// Under which refresh tokens are hashed.
    let refreshTokens: [UInt8]
    /// Under which service keys are hashed.
    let serviceKeyPepper: [UInt8]
    /// Under which the names of counters in Redis are made.
    let counterNames: [UInt8]
    /// From which the reference clients' secrets follow in development mode.
    private let devSeed: [UInt8]

    /// - Parameter bytes: 32 random bytes.
    init(_ bytes: [UInt8]) throws(CryptoError) {
        guard bytes.count == Self.length else { throw .badKey("the issuer's key has 32 bytes") }
        self.sealing = try Self.derive(bytes, "signing keys")
        self.pepper = try Self.derive(bytes, "client secrets")
        self.refreshTokens = try Self.derive(bytes, "refresh tokens")
        self.serviceKeyPepper = try Self.derive(bytes, "service keys")
        self.counterNames = try Self.derive(bytes, "rate limits")
        self.devSeed = try Self.derive(bytes, "development clients")
    }

    /// The secret of a reference client in development mode: 32 characters, the same at every start with this key and
    /// different on every machine, so that it can be printed each time without being stored.
    func devSecret(of clientID: String) throws(CryptoError) -> String {
        Base64URL.encode(try HKDF.sha256(key: self.devSeed, salt: [], info: Array(clientID.utf8), count: 24))
    }

    /// Reads 32 bytes from base64url (43 characters) or hexadecimal (64). Nil if it is neither.
    static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        if characters.count == 43 { return Base64URL.decode(characters.span.bytes) }
        guard characters.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for pair in stride(from: 0, to: 64, by: 2) {
            guard let high = HexDigit.value(characters[pair]), let low = HexDigit.value(characters[pair + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func derive(_ key: [UInt8], _ purpose: String) throws(CryptoError) -> [UInt8] {
        try HKDF.sha256(key: key, salt: [], info: Array("postern-issuer 1: \(purpose)".utf8), count: 32)
    }
}
