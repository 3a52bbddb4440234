import COpenSSL
import PosternCore

/// Message authentication codes (RFC 2104, FIPS 198-1).
enum HMAC {
    static func code(_ hash: HashFunction, key: [UInt8], message: RawSpan) -> [UInt8] {
        let result = withBytes(key) { keyBytes in
            withBytes(message) { input in
                filled(hash.length) { output in
                    COpenSSL.HMAC(
                        hash.pointer, keyBytes, Int32(clamping: key.count), input, message.byteCount, output, nil)
                        != nil
                }
            }
        }
        guard let result else { preconditionFailure("libcrypto has no HMAC with SHA-2") }
        return result
    }
}

/// A key of HMAC-SHA-256 that is used again and again: looking the algorithm up and hashing the key cost several times what
/// a short message does, and are done once.
public final class HMACKey: Sendable {
    /// An `EVP_MAC_CTX` with the key, owned by this object. Never changed after `init`: every message gets a copy.
    private nonisolated(unsafe) let keyed: OpaquePointer

    /// - Parameter key: Any number of octets.
    public init(_ key: [UInt8]) {
        // Held by the context from there on.
        let algorithm = EVP_MAC_fetch(nil, OSSL_MAC_NAME_HMAC, nil)
        defer { EVP_MAC_free(algorithm) }
        guard let context = EVP_MAC_CTX_new(algorithm), Self.begin(context, key) else {
            preconditionFailure("libcrypto has no HMAC with SHA-2")
        }
        self.keyed = context
    }

    deinit {
        EVP_MAC_CTX_free(self.keyed)
    }

    private static func begin(_ context: OpaquePointer, _ key: [UInt8]) -> Bool {
        var name = Array(OSSL_DIGEST_NAME_SHA2_256.utf8CString)
        return name.withUnsafeMutableBufferPointer { text in
            let parameters = [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, text.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return withBytes(key) { EVP_MAC_init(context, $0, key.count, parameters) == 1 }
        }
    }

    /// HMAC-SHA-256 of `message`: 32 octets.
    public func code(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MAC_CTX_dup(self.keyed)
        defer { EVP_MAC_CTX_free(context) }
        let result = withBytes(message) { input in
            filled(32) { output in
                EVP_MAC_update(context, input, message.count) == 1 && EVP_MAC_final(context, output, nil, 32) == 1
            }
        }
        guard let result else { preconditionFailure("out of memory") }
        return result
    }
}

/// Whether the two are equal, in a time that depends on their lengths alone.
public func constantTimeEquals(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    constantTimeEquals(a.span.bytes, b.span.bytes)
}

/// Whether the two are equal, in a time that depends on their lengths alone.
public func constantTimeEquals(_ a: RawSpan, _ b: RawSpan) -> Bool {
    guard a.byteCount == b.byteCount else { return false }
    return withBytes(a) { left in
        withBytes(b) { right in CRYPTO_memcmp(left, right, a.byteCount) == 0 }
    }
}
