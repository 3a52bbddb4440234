import COpenSSL
import PosternCore

// libcrypto is a C library: its objects are raw pointers that Swift cannot check, so every use of one is unsafe. The
// rules that keep this module memory-safe, and that each of its files follows:
// - An object is owned by exactly one Swift value and freed once: in `deinit`, or by a `defer` in the function that
//   made it.
// - A pointer into Swift memory is passed only inside the closure that lends it, together with its own length.
// - Every call that can fail is checked, and the thread's error queue is emptied after a failure, so that nothing
//   piles up there.

/// The hash functions, looked up in libcrypto once per process: a lookup takes a lock and builds strings.
struct HashFunction: Sendable {
    /// Valid for the life of the process: never freed. An `EVP_MD` is immutable and may be shared between threads.
    nonisolated(unsafe) let pointer: OpaquePointer?
    /// Octets of a digest.
    let length: Int

    static let sha1 = HashFunction(pointer: EVP_MD_fetch(nil, "SHA1", nil), length: 20)
    static let sha256 = HashFunction(pointer: EVP_MD_fetch(nil, "SHA256", nil), length: 32)
    static let sha384 = HashFunction(pointer: EVP_MD_fetch(nil, "SHA384", nil), length: 48)
    static let sha512 = HashFunction(pointer: EVP_MD_fetch(nil, "SHA512", nil), length: 64)
}

extension SignatureAlgorithm {
    /// The hash that the algorithm signs; nil where the signature scheme hashes by itself (EdDSA).
    var hash: HashFunction? {
        switch self {
        case .rs256, .ps256, .es256, .hs256: .sha256
        case .rs384, .ps384, .es384, .hs384: .sha384
        case .rs512, .ps512, .es512, .hs512: .sha512
        case .eddsa: nil
        }
    }

    /// Whether the signature scheme is RSASSA-PSS.
    var isPSS: Bool {
        switch self {
        case .ps256, .ps384, .ps512: true
        default: false
        }
    }
}

/// An error for a failed libcrypto call, after emptying this thread's error queue.
func libcryptoFailure(_ operation: String) -> CryptoError {
    ERR_clear_error()
    return .failed(operation: operation)
}

/// Calls `body` with the array's bytes; unlike the array's own method the pointer is never nil, as libcrypto wants.
func withBytes<Result, Failure: Error>(
    _ bytes: [UInt8], _ body: (UnsafePointer<UInt8>) throws(Failure) -> Result
) throws(Failure) -> Result {
    guard bytes.isEmpty else {
        return try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in
            guard let base = buffer.baseAddress else { preconditionFailure("a non-empty array has an address") }
            return try body(base)
        }
    }
    let nothing: UInt8 = 0
    return try withUnsafePointer(to: nothing, body)
}

/// Calls `body` with the span's bytes; the pointer is never nil.
func withBytes<Result, Failure: Error>(
    _ span: RawSpan, _ body: (UnsafePointer<UInt8>) throws(Failure) -> Result
) throws(Failure) -> Result {
    try span.withUnsafeBytes { (buffer) throws(Failure) -> Result in
        guard let base = buffer.baseAddress, !buffer.isEmpty else { return try withBytes([], body) }
        return try body(base.assumingMemoryBound(to: UInt8.self))
    }
}

/// An array of `count` bytes that `fill` writes, or nil where `fill` says it failed. `fill` gets room for exactly
/// `count` bytes.
func filled(_ count: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Bool) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: max(count, 1))
    let done = bytes.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return false }
        return fill(base)
    }
    guard done else { return nil }
    if count == 0 { return [] }
    return bytes
}
