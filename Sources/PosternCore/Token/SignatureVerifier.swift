/// Verifies signatures for the core, which has no cryptography of its own.
public protocol SignatureVerifier: Sendable {
    /// A key in the form that the verifier works with.
    associatedtype Key: Sendable

    /// Whether `signature`, in the form of JWS (RFC 7518 section 3; ECDSA: r‖s), is one of `message` under `key` by
    /// `algorithm`. False for a key that does not fit the algorithm, and for anything malformed.
    func verify(_ algorithm: SignatureAlgorithm, key: Key, message: RawSpan, signature: RawSpan) -> Bool
}
