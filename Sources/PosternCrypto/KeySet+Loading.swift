public import PosternCore

// MARK: - Key sets from what an issuer or an operator gives

extension KeySet where Key == PublicKey {
    /// The keys of a JSON Web Key Set; `skipped` says what was left out and why, for the log.
    public static func load(_ set: JWKSet) -> (keys: KeySet<PublicKey>, skipped: [JWKSet.Skipped]) {
        var keys: [VerificationKey<PublicKey>] = []
        var skipped = set.skipped
        for (jwk, position) in zip(set.keys, set.positions) {
            do throws(CryptoError) {
                let key = try PublicKey(jwk: jwk)
                keys.append(VerificationKey(keyID: jwk.keyID, algorithms: jwk.algorithms, key: key))
            } catch {
                skipped.append(.init(index: position, keyID: jwk.keyID, reason: error.description))
            }
        }
        return (KeySet(keys), skipped)
    }

    /// The keys of a PEM document; each stands for any `kid`.
    public static func load(pem: [UInt8]) throws(CryptoError) -> KeySet<PublicKey> {
        KeySet(try PublicKey.fromPEM(pem).map { VerificationKey(algorithms: $0.algorithms, key: $0) })
    }

    /// A shared secret; it stands for any `kid`.
    public static func load(secret: [UInt8]) throws(CryptoError) -> KeySet<PublicKey> {
        let key = try PublicKey(secret: secret)
        return KeySet([VerificationKey(algorithms: key.algorithms, key: key)])
    }

    /// The keys of a file: a JSON Web Key Set if its first character is `{`, else PEM. A file without a usable key is
    /// an error, as there is no later one to wait for.
    public static func load(
        file bytes: [UInt8]
    ) throws(CryptoError) -> (keys: KeySet<PublicKey>, skipped: [JWKSet.Skipped]) {
        guard bytes.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) == UInt8(ascii: "{") else {
            return (try Self.load(pem: bytes), [])
        }
        let set: JWKSet
        do {
            set = try JWKSet(bytes.span.bytes)
        } catch {
            throw .badKey(error.description)
        }
        let loaded = Self.load(set)
        guard loaded.keys.isEmpty else { return loaded }
        guard let first = loaded.skipped.first else { throw .badKey("the key set has no keys") }
        throw .badKey("the key set has no usable key: \(first.reason)")
    }
}
