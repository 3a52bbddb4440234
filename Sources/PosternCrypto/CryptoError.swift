/// Why a cryptographic operation or the loading of a key failed. The texts are for operators; they hold no secrets.
public enum CryptoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes are not a key of a supported form; the text says what is wrong and what is expected.
    case badKey(String)
    /// The key is well-formed but too weak to be accepted; the text names the limit.
    case weakKey(String)
    /// libcrypto refused an operation that should work: out of memory, or a build without the algorithm.
    case failed(operation: String)

    public var description: String {
        switch self {
        case .badKey(let reason), .weakKey(let reason): reason
        case .failed(let operation): "libcrypto could not do: \(operation)"
        }
    }
}
