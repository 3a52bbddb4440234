import COpenSSL
public import PosternCore

/// A private key that signs tokens, for the issuer.
public final class SigningKey: Sendable {
    /// An `EVP_PKEY`, owned by this object and never changed after `init`.
    nonisolated(unsafe) let pkey: OpaquePointer

    /// The one algorithm that the key is used with.
    public let algorithm: SignatureAlgorithm

    /// The public half.
    public let publicKey: JWK

    private let contexts = SignatureContexts(for: .signing)

    /// Takes ownership of `pkey`, also when it is refused: `deinit` does not run after an `init` that throws.
    init(adopting pkey: OpaquePointer, algorithm: SignatureAlgorithm) throws(CryptoError) {
        do {
            self.publicKey = try SigningKey.publicHalf(pkey, algorithm)
        } catch {
            EVP_PKEY_free(pkey)
            throw error
        }
        self.pkey = pkey
        self.algorithm = algorithm
    }

    deinit {
        EVP_PKEY_free(self.pkey)
    }

    /// A new key: RSA of 2048 bits for the RS and PS algorithms, the algorithm's curve for ES, Ed25519 for EdDSA. An
    /// RSA key takes about 100 ms to find.
    public static func generate(_ algorithm: SignatureAlgorithm) throws(CryptoError) -> SigningKey {
        let (type, setUp) = try Self.generation(algorithm)
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { throw libcryptoFailure("key generation") }
        defer { EVP_PKEY_CTX_free(context) }
        var pkey: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, setUp(context), EVP_PKEY_generate(context, &pkey) == 1, let pkey
        else { throw libcryptoFailure("key generation") }
        return try SigningKey(adopting: pkey, algorithm: algorithm)
    }

    private static func generation(
        _ algorithm: SignatureAlgorithm
    ) throws(CryptoError) -> (type: String, setUp: (OpaquePointer) -> Bool) {
        let curve: JWK.Curve
        switch algorithm {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512:
            return ("RSA", { EVP_PKEY_CTX_set_rsa_keygen_bits($0, 2048) == 1 })
        case .eddsa: return ("ED25519", { _ in true })
        case .es256: curve = .p256
        case .es384: curve = .p384
        case .es512: curve = .p521
        case .hs256, .hs384, .hs512: throw .badKey("\(algorithm.rawValue) has no key pair")
        }
        return ("EC", { EVP_PKEY_CTX_set_group_name($0, curve.rawValue) == 1 })
    }

    /// The signature of `message` in the form of JWS (RFC 7518 section 3; ECDSA: r‖s).
    public func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        let made: [UInt8]? =
            if let hash = self.algorithm.hash {
                self.contexts.sign(self.algorithm, hash, self.pkey, digest: Digest.digest(message.span.bytes, hash))
            } else {
                self.signMessage(message)
            }
        guard let made else { throw libcryptoFailure("signature") }
        guard case .ec(let curve, _, _) = self.publicKey.material else { return made }
        guard let result = ECDSASignature.concatenation(der: made, length: curve.fieldLength) else {
            throw libcryptoFailure("signature")
        }
        return result
    }

    /// For a scheme that takes the message itself (EdDSA).
    private func signMessage(_ message: [UInt8]) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, nil, nil, self.pkey) == 1 else { return nil }
        var length = max(0, Int(EVP_PKEY_get_size(self.pkey)))
        let signature: [UInt8]? = withBytes(message) { input in
            filled(length) { EVP_DigestSign(context, $0, &length, input, message.count) == 1 }
        }
        return signature.map { Array($0.prefix(length)) }
    }

    /// The public half as a JSON Web Key with `kid`, `alg` and `use: sig`.
    public func publicJWK(kid: String) -> JSONValue {
        var members = self.publicKey.requiredMembers()
        members.append(.init(name: "kid", value: .string(kid)))
        members.append(.init(name: "alg", value: .string(self.algorithm.rawValue)))
        members.append(.init(name: "use", value: .string("sig")))
        return .object(members)
    }

    /// The JWK thumbprint (RFC 7638) with SHA-256, in base64url: a `kid` that follows from the key itself.
    public func thumbprint() -> String {
        self.publicKey.thumbprint()
    }
}

extension JWK {
    /// The thumbprint (RFC 7638) with SHA-256, in base64url.
    public func thumbprint() -> String {
        let members = self.requiredMembers().map { "\"\($0.name)\":\"\($0.value.string ?? "")\"" }
        return Base64URL.encode(Digest.sha256(Array("{\(members.joined(separator: ","))}".utf8)))
    }

    /// The members that RFC 7638 section 3.2 requires, in lexicographic order.
    fileprivate func requiredMembers() -> [JSONValue.Member] {
        let pairs: [(String, String)] =
            switch self.material {
            case .rsa(let modulus, let exponent):
                [("e", Base64URL.encode(exponent)), ("kty", "RSA"), ("n", Base64URL.encode(modulus))]
            case .ec(let curve, let x, let y):
                [
                    ("crv", curve.rawValue), ("kty", "EC"), ("x", Base64URL.encode(x)), ("y", Base64URL.encode(y)),
                ]
            case .ed25519(let octets):
                [("crv", "Ed25519"), ("kty", "OKP"), ("x", Base64URL.encode(octets))]
            }
        return pairs.map { .init(name: $0.0, value: .string($0.1)) }
    }
}
