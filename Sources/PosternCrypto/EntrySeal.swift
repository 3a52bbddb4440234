public import PosternCore

/// Seals cache entries for a store that others can read and write (3-behaviour, "Caches"): nobody without a secret sees
/// what is in an entry, makes one, or passes one token's entry off as another's.
///
/// AES-256-GCM under a key that HKDF-SHA-256 makes of the secret. The octets: version (1) ‖ key id (4) ‖ nonce (12) ‖
/// ciphertext ‖ tag (16); associated data: version ‖ token digest (32) ‖ binding. The key id is made of the secret as well and
/// says nothing of it: with several secrets the right one is found at once. Nonces are random: after 2³² entries under one
/// secret (NIST SP 800-38D section 8.3) it is time for another.
public struct EntrySeal: Sendable {
    /// Octets that a secret has at least.
    public static let minimumSecretLength = 32
    /// How much longer a sealed entry is.
    public static let overhead = 1 + keyIDLength + AEAD.nonceLength + AEAD.tagLength

    private static let version: UInt8 = 1
    private static let keyIDLength = 4

    private struct Key: Sendable {
        let id: [UInt8]
        let bytes: [UInt8]

        init(secret: [UInt8]) throws(CryptoError) {
            self.id = try HKDF.sha256(
                key: secret, salt: [], info: Array("postern cache entry, key id, v1".utf8),
                count: EntrySeal.keyIDLength)
            self.bytes = try HKDF.sha256(
                key: secret, salt: [], info: Array("postern cache entry, AES-256-GCM, v1".utf8),
                count: AEAD.keyLength)
        }
    }

    /// The key that seals.
    private let first: Key
    /// All keys that open.
    private let keys: [Key]

    /// - Parameter secrets: At least one, of at least 32 octets each. The first seals, all open: a new secret is added
    ///   behind the old one everywhere, then put first, and the old one removed when its entries are over.
    public init(secrets: [[UInt8]]) throws(CryptoError) {
        var keys: [Key] = []
        for secret in secrets {
            guard secret.count >= Self.minimumSecretLength else {
                throw .weakKey("a secret that seals cache entries needs at least \(Self.minimumSecretLength) bytes")
            }
            keys.append(try Key(secret: secret))
        }
        guard let first = keys.first else { throw .badKey("a secret is needed to seal cache entries") }
        self.first = first
        self.keys = keys
    }

    /// Seals an entry.
    /// - Parameters:
    ///   - digest: The token that the entry is about.
    ///   - binding: What else the entry is good for alone: the issuer. Any octets; `open` needs the same.
    public func seal(
        _ plaintext: [UInt8], digest: TokenDigest, binding: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        let sealed = try AEAD.seal(
            plaintext, key: self.first.bytes, additional: Self.associatedData(digest, binding))
        return [Self.version] + self.first.id + sealed
    }

    /// The entry; nil if it was not sealed with one of the secrets, for this token and this binding, or was changed since.
    public func open(_ sealed: [UInt8], digest: TokenDigest, binding: [UInt8]) -> [UInt8]? {
        guard sealed.count >= Self.overhead, sealed[0] == Self.version else { return nil }
        let id = sealed[1...Self.keyIDLength]
        let rest = Array(sealed[(1 + Self.keyIDLength)...])
        let associated = Self.associatedData(digest, binding)
        // Two secrets with one id are possible, if hardly ever: each of them is tried.
        for key in self.keys where key.id.elementsEqual(id) {
            if let plaintext = AEAD.open(rest, key: key.bytes, additional: associated) { return plaintext }
        }
        return nil
    }

    /// Only the last part has no fixed length, so no two inputs give the same octets.
    private static func associatedData(_ digest: TokenDigest, _ binding: [UInt8]) -> [UInt8] {
        [Self.version] + digest.bytes + binding
    }
}

extension EntrySeal: CustomStringConvertible, CustomReflectable {
    public var description: String { "[entry seal]" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
