import COpenSSL
import PosternCore
import Synchronization

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
/// a short message does, and are done once for each thread that uses the key at the same time.
public final class HMACKey: Sendable {
    /// An `EVP_MAC_CTX` with the key. Unchecked because of the pointer: a context is in the list, behind its lock, or with the
    /// one thread that took it out.
    private struct Context: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private let key: [UInt8]
    private let idle = Mutex<[Context]>([])
    private static let limit = 64

    /// - Parameter key: Any number of octets.
    public init(_ key: [UInt8]) {
        self.key = key
    }

    deinit {
        for context in self.idle.withLock({ $0 }) { EVP_MAC_CTX_free(context.pointer) }
    }

    /// HMAC-SHA-256 of `message`: 32 octets.
    public func code(_ message: [UInt8]) -> [UInt8] {
        guard let context = self.idle.withLock({ $0.popLast() }) ?? Self.make(self.key) else {
            preconditionFailure("libcrypto has no HMAC with SHA-2")
        }
        let result = withBytes(message) { input in
            filled(32) { output in
                // Without a key it begins anew with the one it has.
                EVP_MAC_init(context.pointer, nil, 0, nil) == 1
                    && EVP_MAC_update(context.pointer, input, message.count) == 1
                    && EVP_MAC_final(context.pointer, output, nil, 32) == 1
            }
        }
        guard let result else { preconditionFailure("libcrypto is out of memory") }
        let isKept = self.idle.withLock { idle in
            guard idle.count < Self.limit else { return false }
            idle.append(context)
            return true
        }
        if !isKept { EVP_MAC_CTX_free(context.pointer) }
        return result
    }

    private static func make(_ key: [UInt8]) -> Context? {
        // Held by the context from there on.
        let algorithm = EVP_MAC_fetch(nil, OSSL_MAC_NAME_HMAC, nil)
        defer { EVP_MAC_free(algorithm) }
        guard let pointer = EVP_MAC_CTX_new(algorithm) else { return nil }
        var name = Array(OSSL_DIGEST_NAME_SHA2_256.utf8CString)
        let isReady = name.withUnsafeMutableBufferPointer { text in
            let parameters = [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, text.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return withBytes(key) { EVP_MAC_init(pointer, $0, key.count, parameters) == 1 }
        }
        guard isReady else {
            EVP_MAC_CTX_free(pointer)
            return nil
        }
        return Context(pointer: pointer)
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
