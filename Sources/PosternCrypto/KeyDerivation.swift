import COpenSSL

/// HKDF (RFC 5869).
public enum HKDF {
    /// Extract-and-expand with SHA-256.
    /// - Parameters:
    ///   - key: Input keying material of high entropy; at least one octet.
    ///   - count: Octets wanted, 1 to 8160 (255 × 32).
    public static func sha256(key: [UInt8], salt: [UInt8], info: [UInt8], count: Int) throws(CryptoError) -> [UInt8] {
        guard !key.isEmpty, (1...8160).contains(count) else {
            throw .badKey("HKDF needs a key and a length between 1 and 8160")
        }
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil) else { throw libcryptoFailure("HKDF") }
        defer { EVP_PKEY_CTX_free(context) }
        let ready =
            EVP_PKEY_derive_init(context) == 1
            && EVP_PKEY_CTX_set_hkdf_md(context, HashFunction.sha256.pointer) == 1
            && withBytes(salt) { EVP_PKEY_CTX_set1_hkdf_salt(context, $0, Int32(clamping: salt.count)) == 1 }
            && withBytes(key) { EVP_PKEY_CTX_set1_hkdf_key(context, $0, Int32(clamping: key.count)) == 1 }
            && withBytes(info) { EVP_PKEY_CTX_add1_hkdf_info(context, $0, Int32(clamping: info.count)) == 1 }
        guard ready else { throw libcryptoFailure("HKDF") }
        let result = filled(count) { output in
            var length = count
            return EVP_PKEY_derive(context, output, &length) == 1 && length == count
        }
        guard let result else { throw libcryptoFailure("HKDF") }
        return result
    }
}

/// Password hashing (RFC 7914).
public enum Scrypt {
    /// What one hash costs. The defaults take about 50 ms and 32 MiB.
    public struct Cost: Equatable, Sendable {
        /// CPU and memory cost, a power of two above 1.
        public var n: UInt64
        /// Block size.
        public var r: UInt64
        /// Parallelization.
        public var p: UInt64

        public init(n: UInt64 = 1 << 15, r: UInt64 = 8, p: UInt64 = 1) {
            self.n = n
            self.r = r
            self.p = p
        }
    }

    /// The scrypt hash of a password; 32 octets unless said otherwise. At most 256 MiB of memory is used: a cost that
    /// needs more is refused.
    public static func hash(
        password: [UInt8], salt: [UInt8], cost: Cost = Cost(), count: Int = 32
    ) throws(CryptoError) -> [UInt8] {
        guard count > 0 else { throw .badKey("scrypt needs a length above 0") }
        let result = withBytes(password) { passwordBytes in
            passwordBytes.withMemoryRebound(to: CChar.self, capacity: max(password.count, 1)) { characters in
                withBytes(salt) { saltBytes in
                    filled(count) { output in
                        EVP_PBE_scrypt(
                            characters, password.count, saltBytes, salt.count, cost.n, cost.r, cost.p, 256 << 20,
                            output, count) == 1
                    }
                }
            }
        }
        guard let result else { throw libcryptoFailure("scrypt") }
        return result
    }
}
