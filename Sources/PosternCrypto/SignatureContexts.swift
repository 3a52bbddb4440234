import COpenSSL
import PosternCore
import Synchronization

/// Contexts (`EVP_PKEY_CTX`) of one key that are ready to verify, or to sign: making one takes dozens of locks and look-ups
/// in libcrypto, a tenth of what an RSA verification costs. A context is used by one thread at a time; as many are made
/// as there are threads that use the key at once.
final class SignatureContexts: Sendable {
    /// What the contexts are for.
    enum Purpose: Sendable {
        case verification
        case signing
    }

    /// Owned by whoever holds it: it is given back or freed. Unchecked because of the pointer: a context is in the list,
    /// behind its lock, or with the one thread that took it out.
    private struct Context: @unchecked Sendable {
        let algorithm: SignatureAlgorithm
        let pointer: OpaquePointer
    }

    private let purpose: Purpose
    private let idle = Mutex<[Context]>([])
    private static let limit = 64

    init(for purpose: Purpose) {
        self.purpose = purpose
    }

    deinit {
        for context in self.idle.withLock({ $0 }) { EVP_PKEY_CTX_free(context.pointer) }
    }

    /// Whether `signature` is one of `digest` by the key. The algorithm is one that signs a digest, and fits the key.
    func verify(
        _ algorithm: SignatureAlgorithm, _ hash: HashFunction, _ pkey: OpaquePointer, digest: [UInt8],
        signature: RawSpan
    ) -> Bool {
        self.use(algorithm, hash, pkey) { context in
            withBytes(digest) { input in
                withBytes(signature) {
                    EVP_PKEY_verify(context, $0, signature.byteCount, input, digest.count) == 1
                }
            }
        }
    }

    /// The signature of `digest`, in libcrypto's own form; nil if it cannot be made. The algorithm is one that signs a digest,
    /// and fits the key.
    func sign(
        _ algorithm: SignatureAlgorithm, _ hash: HashFunction, _ pkey: OpaquePointer, digest: [UInt8]
    ) -> [UInt8]? {
        var length = max(0, Int(EVP_PKEY_get_size(pkey)))
        var signature: [UInt8]?
        let isMade = self.use(algorithm, hash, pkey) { context in
            signature = withBytes(digest) { input in
                filled(length) { EVP_PKEY_sign(context, $0, &length, input, digest.count) == 1 }
            }
            return signature != nil
        }
        guard isMade, let signature else { return nil }
        return Array(signature.prefix(length))
    }

    /// Lends a context to `body`, which says whether all went well with it.
    private func use(
        _ algorithm: SignatureAlgorithm, _ hash: HashFunction, _ pkey: OpaquePointer, _ body: (OpaquePointer) -> Bool
    ) -> Bool {
        guard let context = self.take(algorithm) ?? self.make(algorithm, hash, pkey) else {
            ERR_clear_error()
            return false
        }
        let isFine = body(context.pointer)
        if isFine {
            self.giveBack(context)
        } else {
            // What a failure leaves in a context is nowhere said: it is not used again.
            EVP_PKEY_CTX_free(context.pointer)
            ERR_clear_error()
        }
        return isFine
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

    private func make(
        _ algorithm: SignatureAlgorithm, _ hash: HashFunction, _ pkey: OpaquePointer
    ) -> Context? {
        guard let pointer = EVP_PKEY_CTX_new(pkey, nil) else { return nil }
        let isReady =
            switch self.purpose {
            case .verification: EVP_PKEY_verify_init(pointer) == 1
            case .signing: EVP_PKEY_sign_init(pointer) == 1
            }
        guard isReady, !algorithm.isPSS || preparePSS(pointer),
            EVP_PKEY_CTX_set_signature_md(pointer, hash.pointer) == 1
        else {
            EVP_PKEY_CTX_free(pointer)
            return nil
        }
        return Context(algorithm: algorithm, pointer: pointer)
    }
}
