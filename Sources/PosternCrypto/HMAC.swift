import COpenSSL
import PosternCore

/// Message authentication codes (RFC 2104, FIPS 198-1).
public enum HMAC {
    /// HMAC-SHA-256 of `message` under `key`: 32 octets.
    public static func sha256(key: [UInt8], message: [UInt8]) -> [UInt8] {
        Self.code(.sha256, key: key, message: message.span.bytes)
    }

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
