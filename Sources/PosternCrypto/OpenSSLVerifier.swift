import COpenSSL
public import PosternCore

/// Verifies JWS signatures with libcrypto. Synchronous; one call is one verification.
public struct OpenSSLVerifier: SignatureVerifier {
    public typealias Key = PublicKey

    public init() {}

    public func verify(
        _ algorithm: SignatureAlgorithm, key: PublicKey, message: RawSpan, signature: RawSpan
    ) -> Bool {
        guard key.algorithms.contains(algorithm) else { return false }
        switch key.material {
        case .secret(let secret):
            guard let hash = algorithm.hash, algorithm.isHMAC else { return false }
            let expected = HMAC.code(hash, key: secret, message: message)
            return constantTimeEquals(expected.span.bytes, signature)
        case .asymmetric(let pkey):
            switch algorithm {
            case .es256: return Self.verifyECDSA(.p256, algorithm, key, pkey, message, signature)
            case .es384: return Self.verifyECDSA(.p384, algorithm, key, pkey, message, signature)
            case .es512: return Self.verifyECDSA(.p521, algorithm, key, pkey, message, signature)
            case .hs256, .hs384, .hs512: return false
            default: return Self.verify(algorithm, key, pkey, message, signature)
            }
        }
    }

    private static func verifyECDSA(
        _ curve: JWK.Curve, _ algorithm: SignatureAlgorithm, _ key: PublicKey, _ pkey: OpaquePointer,
        _ message: RawSpan, _ signature: RawSpan
    ) -> Bool {
        guard signature.byteCount == 2 * curve.fieldLength else { return false }
        return Self.verify(algorithm, key, pkey, message, ECDSASignature.der(signature).span.bytes)
    }

    private static func verify(
        _ algorithm: SignatureAlgorithm, _ key: PublicKey, _ pkey: OpaquePointer, _ message: RawSpan,
        _ signature: RawSpan
    ) -> Bool {
        guard let hash = algorithm.hash else { return Self.verifyMessage(pkey, message, signature) }
        return key.contexts.verify(
            algorithm, hash, pkey, digest: Digest.digest(message, hash), signature: signature)
    }

    /// For a scheme that takes the message itself (EdDSA).
    private static func verifyMessage(_ pkey: OpaquePointer, _ message: RawSpan, _ signature: RawSpan) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, pkey) == 1 else {
            ERR_clear_error()
            return false
        }
        let valid = withBytes(message) { input in
            withBytes(signature) { EVP_DigestVerify(context, $0, signature.byteCount, input, message.byteCount) == 1 }
        }
        if !valid { ERR_clear_error() }
        return valid
    }
}

/// Sets PSS padding with a salt as long as the digest (RFC 7518 section 3.5), no more and no less. The mask function's
/// hash follows the signature's.
func preparePSS(_ parameters: OpaquePointer?) -> Bool {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
}
