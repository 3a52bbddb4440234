import COpenSSL
public import PosternCore

/// A key that verifies signatures: a public key ready in libcrypto's form, or a shared secret for HMAC.
///
/// Made when keys are loaded, then shared by every event loop: libcrypto's keys are reference-counted and are not
/// changed by verification.
public final class PublicKey: Sendable {
    enum Material {
        /// An `EVP_PKEY`, owned by this object.
        case asymmetric(OpaquePointer)
        /// The octets of a shared secret.
        case secret([UInt8])
    }

    /// Never changed after `init`, and freed once nobody holds the object.
    nonisolated(unsafe) let material: Material

    /// The algorithms that this key's type and curve (for a secret: its length) allow.
    public let algorithms: [SignatureAlgorithm]

    let contexts = SignatureContexts(for: .verification)

    /// Takes ownership of `pkey`.
    init(adopting pkey: OpaquePointer, algorithms: [SignatureAlgorithm]) {
        self.material = .asymmetric(pkey)
        self.algorithms = algorithms
    }

    /// A shared secret for HS256, HS384 and HS512.
    ///
    /// RFC 7518 section 3.2 wants a secret at least as long as the digest: one under 32 bytes is refused, and HS384 and
    /// HS512 are allowed from 48 and 64 bytes on.
    public init(secret: [UInt8]) throws(CryptoError) {
        guard secret.count >= 32 else {
            throw .weakKey("the secret has \(secret.count) bytes; HMAC needs at least 32 (RFC 7518 section 3.2)")
        }
        self.material = .secret(secret)
        self.algorithms = [SignatureAlgorithm.hs256, .hs384, .hs512].filter { algorithm in
            secret.count >= (algorithm.hash?.length ?? Int.max)
        }
    }

    deinit {
        if case .asymmetric(let pkey) = self.material { EVP_PKEY_free(pkey) }
    }
}

// MARK: - From a JWK

extension PublicKey {
    /// The key of a JWK. A point that is not on its curve is refused.
    public convenience init(jwk: JWK) throws(CryptoError) {
        let pkey =
            switch jwk.material {
            case .rsa(let modulus, let exponent): try Self.rsa(modulus: modulus, exponent: exponent)
            case .ec(let curve, let x, let y): try Self.ec(curve, point: [4] + x + y)
            case .ed25519(let octets): try Self.ed25519(octets)
            }
        self.init(adopting: pkey, algorithms: jwk.algorithms)
    }

    private static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(CryptoError) -> OpaquePointer {
        let n = withBytes(modulus) { BN_bin2bn($0, Int32(clamping: modulus.count), nil) }
        let e = withBytes(exponent) { BN_bin2bn($0, Int32(clamping: exponent.count), nil) }
        defer {
            BN_free(n)
            BN_free(e)
        }
        guard let n, let e, let builder = OSSL_PARAM_BLD_new() else { throw libcryptoFailure("RSA key") }
        defer { OSSL_PARAM_BLD_free(builder) }
        guard OSSL_PARAM_BLD_push_BN(builder, constant("n"), n) == 1,
            OSSL_PARAM_BLD_push_BN(builder, constant("e"), e) == 1
        else { throw libcryptoFailure("RSA key") }
        return try Self.build("RSA", builder, problem: "n and e are not an RSA key")
    }

    private static func ec(_ curve: JWK.Curve, point: [UInt8]) throws(CryptoError) -> OpaquePointer {
        guard let builder = OSSL_PARAM_BLD_new() else { throw libcryptoFailure("EC key") }
        defer { OSSL_PARAM_BLD_free(builder) }
        // The builder keeps the pointers that it is given until `build` is through.
        return try point.withUnsafeBufferPointer { (buffer) throws(CryptoError) -> OpaquePointer in
            guard OSSL_PARAM_BLD_push_utf8_string(builder, constant("group"), curve.constantName, 0) == 1,
                OSSL_PARAM_BLD_push_octet_string(builder, constant("pub"), buffer.baseAddress, buffer.count) == 1
            else { throw libcryptoFailure("EC key") }
            // Reading the point checks that it is on the curve; on curves of prime order that is all there is to check.
            return try Self.build("EC", builder, problem: "x and y are not a point on \(curve.rawValue)")
        }
    }

    private static func ed25519(_ octets: [UInt8]) throws(CryptoError) -> OpaquePointer {
        let pkey = withBytes(octets) { EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, $0, octets.count) }
        guard let pkey else {
            ERR_clear_error()
            throw .badKey("x is not an Ed25519 public key")
        }
        return pkey
    }

    private static func build(
        _ type: String, _ builder: OpaquePointer, problem: String
    ) throws(CryptoError) -> OpaquePointer {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { throw libcryptoFailure("\(type) key") }
        defer { EVP_PKEY_CTX_free(context) }
        guard let parameters = OSSL_PARAM_BLD_to_param(builder) else { throw libcryptoFailure("\(type) key") }
        defer { OSSL_PARAM_free(parameters) }
        // What the macro EVP_PKEY_PUBLIC_KEY stands for; Swift does not see macros that are expressions of others.
        let selection =
            OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS | OSSL_KEYMGMT_SELECT_OTHER_PARAMETERS
            | OSSL_KEYMGMT_SELECT_PUBLIC_KEY
        var pkey: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1,
            EVP_PKEY_fromdata(context, &pkey, selection, parameters) == 1, let pkey
        else {
            ERR_clear_error()
            throw .badKey(problem)
        }
        return pkey
    }
}

/// The C string of a literal, valid for the life of the process: `OSSL_PARAM_BLD` keeps the pointers to names, and the
/// temporary that Swift would make of a `String` is gone after the call.
private func constant(_ name: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
}

extension JWK.Curve {
    /// The curve's name as a C string that is always valid.
    fileprivate var constantName: UnsafePointer<CChar> {
        switch self {
        case .p256: constant("P-256")
        case .p384: constant("P-384")
        case .p521: constant("P-521")
        }
    }
}
