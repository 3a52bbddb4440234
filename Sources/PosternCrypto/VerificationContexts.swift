import COpenSSL
import PosternCore
import Synchronization

/// Verification contexts (`EVP_PKEY_CTX`) of one key that are ready to use: making one takes dozens of locks and look-ups
/// in libcrypto, a tenth of what an RSA verification costs. A context is used by one thread at a time; as many are made
/// as there are threads that verify at once.
final class VerificationContexts: Sendable {
    /// Owned by whoever holds it: it is given back or freed. Unchecked because of the pointer: a context is in the list,
    /// behind its lock, or with the one thread that took it out.
    private struct Context: @unchecked Sendable {
        let algorithm: SignatureAlgorithm
        let pointer: OpaquePointer
    }

    private let idle = Mutex<[Context]>([])
    private static let limit = 64

    deinit {
        for context in self.idle.withLock({ $0 }) { EVP_PKEY_CTX_free(context.pointer) }
    }

    /// Whether `signature` is one of `digest` by the key. The algorithm is one that signs a digest, and fits the key.
    func verify(
        _ algorithm: SignatureAlgorithm, _ hash: HashFunction, _ pkey: OpaquePointer, digest: [UInt8],
        signature: RawSpan
    ) -> Bool {
        guard let context = self.take(algorithm) ?? Self.make(algorithm, hash, pkey) else {
            ERR_clear_error()
            return false
        }
        let valid = withBytes(digest) { input in
            withBytes(signature) {
                EVP_PKEY_verify(context.pointer, $0, signature.byteCount, input, digest.count) == 1
            }
        }
        if valid {
            self.giveBack(context)
        } else {
            // What a failure leaves in a context is nowhere said: it is not used again.
            EVP_PKEY_CTX_free(context.pointer)
            ERR_clear_error()
        }
        return valid
    }

    private func take(_ algorithm: SignatureAlgorithm) -> Context? {
        self.idle.withLock { idle in
            guard let index = idle.lastIndex(where: { $0.algorithm == algorithm }) else { return nil }
            return idle.remove(at: index)
        }
    }

    private func giveBack(_ context: Context) {
        let isKept = self.idle.withLock { idle in
            guard idle.count < Self.limit else { return false }
            idle.append(context)
            return true
        }
        if !isKept { EVP_PKEY_CTX_free(context.pointer) }
    }

    private static func make(
        _ algorithm: SignatureAlgorithm, _ hash: HashFunction, _ pkey: OpaquePointer
    ) -> Context? {
        guard let pointer = EVP_PKEY_CTX_new(pkey, nil) else { return nil }
        guard EVP_PKEY_verify_init(pointer) == 1, !algorithm.isPSS || preparePSS(pointer),
            EVP_PKEY_CTX_set_signature_md(pointer, hash.pointer) == 1
        else {
            EVP_PKEY_CTX_free(pointer)
            return nil
        }
        return Context(algorithm: algorithm, pointer: pointer)
    }
}
