import COpenSSL
public import PosternCore

// MARK: - PKCS #8

extension SigningKey {
    /// Reads a private key from PKCS #8 in DER (RFC 5208), for use with `algorithm`; a key of another type, another
    /// curve, or under 2048 bits is refused.
    public convenience init(pkcs8: [UInt8], algorithm: SignatureAlgorithm) throws(CryptoError) {
        let pkey: OpaquePointer? = withBytes(pkcs8) { bytes in
            var cursor: UnsafePointer<UInt8>? = bytes
            guard let info = d2i_PKCS8_PRIV_KEY_INFO(nil, &cursor, pkcs8.count) else { return nil }
            defer { PKCS8_PRIV_KEY_INFO_free(info) }
            return EVP_PKCS82PKEY(info)
        }
        guard let pkey else {
            ERR_clear_error()
            throw .badKey("the bytes are not a private key in PKCS #8 form")
        }
        try self.init(adopting: pkey, algorithm: algorithm)
    }

    /// The private key as PKCS #8 in DER, not encrypted: the caller seals it before it is stored.
    public func exportPKCS8() throws(CryptoError) -> [UInt8] {
        guard let info = EVP_PKEY2PKCS8(self.pkey) else { throw libcryptoFailure("key export") }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        let length = i2d_PKCS8_PRIV_KEY_INFO(info, nil)
        guard length > 0 else { throw libcryptoFailure("key export") }
        let bytes = filled(Int(length)) { output in
            var cursor: UnsafeMutablePointer<UInt8>? = output
            return i2d_PKCS8_PRIV_KEY_INFO(info, &cursor) == length
        }
        guard let bytes else { throw libcryptoFailure("key export") }
        return bytes
    }
}

// MARK: - The public half

extension SigningKey {
    /// The public half of `pkey`, checked to fit `algorithm`. Frees nothing.
    static func publicHalf(_ pkey: OpaquePointer, _ algorithm: SignatureAlgorithm) throws(CryptoError) -> JWK {
        let material = try keyMaterial(pkey)
        guard JWK.algorithms(for: material).contains(algorithm) else {
            throw .badKey("the key is not one for \(algorithm.rawValue)")
        }
        return JWK(material: material, algorithms: [algorithm])
    }
}

/// The public numbers of an `EVP_PKEY`; refuses types that sign no token and RSA keys that are too short.
func keyMaterial(_ pkey: OpaquePointer) throws(CryptoError) -> JWK.Material {
    switch EVP_PKEY_get_base_id(pkey) {
    case EVP_PKEY_RSA:
        let bits = Int(EVP_PKEY_get_bits(pkey))
        guard bits >= JWK.minimumRSABits else {
            throw .weakKey("the RSA key has \(bits) bits; \(JWK.minimumRSABits) are the least that is accepted")
        }
        guard bits <= JWK.maximumRSABits else {
            throw .badKey("the RSA key has \(bits) bits; \(JWK.maximumRSABits) are the most that is accepted")
        }
        guard let modulus = bigNumber(pkey, OSSL_PKEY_PARAM_RSA_N),
            let exponent = bigNumber(pkey, OSSL_PKEY_PARAM_RSA_E)
        else { throw libcryptoFailure("reading an RSA key") }
        return .rsa(modulus: modulus, exponent: exponent)
    case EVP_PKEY_EC:
        guard let curve = curve(of: pkey) else { throw .badKey("the curve of the key is not P-256, P-384 or P-521") }
        guard let x = bigNumber(pkey, OSSL_PKEY_PARAM_EC_PUB_X, curve.fieldLength),
            let y = bigNumber(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curve.fieldLength)
        else { throw libcryptoFailure("reading an EC key") }
        return .ec(curve, x: x, y: y)
    case EVP_PKEY_ED25519:
        let octets = filled(32) { output in
            var length = 32
            return EVP_PKEY_get_raw_public_key(pkey, output, &length) == 1 && length == 32
        }
        guard let octets else { throw libcryptoFailure("reading an Ed25519 key") }
        return .ed25519(octets)
    default:
        throw .badKey("the key is neither RSA, nor EC, nor Ed25519")
    }
}

private func curve(of pkey: OpaquePointer) -> JWK.Curve? {
    var name = [CChar](repeating: 0, count: 64)
    var length = 0
    guard EVP_PKEY_get_group_name(pkey, &name, name.count, &length) == 1 else { return nil }
    switch String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) {
    case "prime256v1", "P-256": return .p256
    case "secp384r1", "P-384": return .p384
    case "secp521r1", "P-521": return .p521
    default: return nil
    }
}

/// One of a key's numbers, big-endian; with `length`, padded with zeros in front to that many octets.
private func bigNumber(_ pkey: OpaquePointer, _ name: String, _ length: Int? = nil) -> [UInt8]? {
    var number: OpaquePointer?
    guard EVP_PKEY_get_bn_param(pkey, name, &number) == 1, let number else { return nil }
    defer { BN_free(number) }
    let significant = (Int(BN_num_bits(number)) + 7) / 8
    let wanted = length ?? significant
    guard significant <= wanted else { return nil }
    return filled(wanted) { BN_bn2binpad(number, $0, Int32(wanted)) == Int32(wanted) }
}
