import PosternCore
import PosternCrypto

/// Private keys on their way into the store and out of it: encrypted under the master key, each bound to its row.
struct KeyVault: Sendable {
    let master: MasterKey

    /// The private key of a row. Throws `IssuerStartError.wrongKey` if the master key does not open it.
    func open(_ record: StoredSigningKey) throws -> SigningKey {
        guard let algorithm = SignatureAlgorithm(rawValue: record.algorithm),
            let pkcs8 = AEAD.open(record.sealed, key: self.master.sealing, additional: record.binding)
        else { throw IssuerStartError.wrongKey }
        return try SigningKey(pkcs8: pkcs8, algorithm: algorithm)
    }

    /// A new key.
    ///
    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - notice: How many seconds it is published before it signs.
    func make(_ algorithm: SignatureAlgorithm, now: Double, notice: Int) throws -> StoredSigningKey {
        let key = try SigningKey.generate(algorithm)
        let createdAt = Int(now)
        var record = StoredSigningKey(
            kid: key.thumbprint(), algorithm: algorithm.rawValue, sealed: [], createdAt: createdAt,
            signsFrom: createdAt + notice)
        record.sealed = try AEAD.seal(try key.exportPKCS8(), key: self.master.sealing, additional: record.binding)
        return record
    }
}
