import COpenSSL

/// Authenticated encryption: AES-256-GCM (NIST SP 800-38D) with a fresh random nonce for each message.
public enum AEAD {
    /// Octets of a key.
    public static let keyLength = 32
    static let nonceLength = 12
    static let tagLength = 16

    /// Looked up once and never freed: an `EVP_CIPHER` is immutable and may be shared between threads.
    private nonisolated(unsafe) static let cipher = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)

    /// Encrypts. The result is nonce ‖ ciphertext ‖ tag, 28 octets longer than `plaintext`.
    /// - Parameters:
    ///   - key: 32 octets.
    ///   - additional: What the ciphertext is bound to: `open` needs the same.
    public static func seal(
        _ plaintext: [UInt8], key: [UInt8], additional: [UInt8] = []
    ) throws(CryptoError) -> [UInt8] {
        guard key.count == Self.keyLength else { throw .badKey("AES-256-GCM needs a key of 32 bytes") }
        guard plaintext.count < 1 << 30, additional.count < 1 << 30 else { throw .failed(operation: "AES-256-GCM") }
        let nonce = Random.bytes(Self.nonceLength)
        guard let context = EVP_CIPHER_CTX_new() else { throw libcryptoFailure("AES-256-GCM") }
        defer { EVP_CIPHER_CTX_free(context) }
        let started = withBytes(key) { keyBytes in
            withBytes(nonce) { EVP_EncryptInit_ex2(context, Self.cipher, keyBytes, $0, nil) == 1 }
        }
        guard started, Self.bind(context, additional, encrypt: true) else { throw libcryptoFailure("AES-256-GCM") }
        let sealed = filled(plaintext.count + Self.tagLength) { output in
            var written: Int32 = 0
            var last: Int32 = 0
            return withBytes(plaintext) {
                EVP_EncryptUpdate(context, output, &written, $0, Int32(plaintext.count)) == 1
            } && EVP_EncryptFinal_ex(context, output + Int(written), &last) == 1
                && Int(written) + Int(last) == plaintext.count
                && EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), output + plaintext.count) == 1
        }
        guard let sealed else { throw libcryptoFailure("AES-256-GCM") }
        return nonce + sealed
    }

    /// Decrypts what `seal` made, or nil if the key, the additional data or any bit of it is another.
    public static func open(_ sealed: [UInt8], key: [UInt8], additional: [UInt8] = []) -> [UInt8]? {
        let count = sealed.count - Self.nonceLength - Self.tagLength
        guard key.count == Self.keyLength, count >= 0, count < 1 << 30, additional.count < 1 << 30,
            let context = EVP_CIPHER_CTX_new()
        else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        let result: [UInt8]? = withBytes(sealed) { input in
            let started = withBytes(key) { EVP_DecryptInit_ex2(context, Self.cipher, $0, input, nil) == 1 }
            guard started, Self.bind(context, additional, encrypt: false) else { return nil }
            var tag = Array(sealed.suffix(Self.tagLength))
            return filled(count) { output in
                var written: Int32 = 0
                var last: Int32 = 0
                return EVP_DecryptUpdate(context, output, &written, input + Self.nonceLength, Int32(count)) == 1
                    && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1
                    && EVP_DecryptFinal_ex(context, output + Int(written), &last) == 1
                    && Int(written) + Int(last) == count
            }
        }
        if result == nil { ERR_clear_error() }
        return result
    }

    private static func bind(_ context: OpaquePointer, _ additional: [UInt8], encrypt: Bool) -> Bool {
        if additional.isEmpty { return true }
        var written: Int32 = 0
        return withBytes(additional) { bytes in
            encrypt
                ? EVP_EncryptUpdate(context, nil, &written, bytes, Int32(additional.count)) == 1
                : EVP_DecryptUpdate(context, nil, &written, bytes, Int32(additional.count)) == 1
        }
    }
}
