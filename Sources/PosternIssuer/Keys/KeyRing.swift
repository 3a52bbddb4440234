import PosternCore
import PosternCrypto

/// The issuer's signing keys: the one that signs, and the public halves of all that are published.
struct KeyRing: Sendable {
    let signer: TokenSigner
    /// The JWK set (RFC 7517 section 5) as it is served.
    let published: String
    /// The same keys, to verify with.
    let verification: KeySet<PublicKey>

    /// Opens the keys of the store; one for `algorithm` is made if there is none. Keys of other algorithms stay
    /// published, so that tokens signed before a change of algorithm still verify.
    static func load(
        from store: any IssuerStore, master: MasterKey, algorithm: SignatureAlgorithm, now: Double
    ) async throws -> KeyRing {
        var stored = try await store.signingKeys()
        var keys = try Self.open(stored, master)
        if !keys.contains(where: { $0.algorithm == algorithm }) {
            let fresh = try Self.seal(try SigningKey.generate(algorithm), master, now: now)
            // Another process may have been first: then its key is the one, and ours is forgotten.
            stored = try await store.addSigningKeyIfFirst(fresh)
            keys = try Self.open(stored, master)
        }
        guard let key = keys.first(where: { $0.algorithm == algorithm }) else {
            throw IssuerStartError.store("the new signing key was not stored")
        }
        let set = JSONValue.record([("keys", .array(keys.map { $0.publicJWK(kid: $0.thumbprint()) }))])
        let published = set.serialized()
        return KeyRing(
            signer: TokenSigner(key: key), published: published,
            verification: KeySet.load(try JWKSet(Array(published.utf8).span.bytes)).keys)
    }

    private static func open(_ stored: [StoredSigningKey], _ master: MasterKey) throws -> [SigningKey] {
        try stored.map { record in
            guard let algorithm = SignatureAlgorithm(rawValue: record.algorithm),
                let pkcs8 = AEAD.open(record.sealed, key: master.sealing, additional: record.binding)
            else { throw IssuerStartError.wrongKey }
            return try SigningKey(pkcs8: pkcs8, algorithm: algorithm)
        }
    }

    private static func seal(_ key: SigningKey, _ master: MasterKey, now: Double) throws -> StoredSigningKey {
        var record = StoredSigningKey(
            kid: key.thumbprint(), algorithm: key.algorithm.rawValue, sealed: [], createdAt: Int(now), signsFrom: Int(now))
        record.sealed = try AEAD.seal(try key.exportPKCS8(), key: master.sealing, additional: record.binding)
        return record
    }
}
