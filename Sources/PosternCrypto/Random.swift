import COpenSSL

/// The operating system's randomness through libcrypto's generator.
public enum Random {
    /// `count` unpredictable bytes. A generator that cannot be seeded ends the process: going on without randomness
    /// would make keys and secrets guessable.
    public static func bytes(_ count: Int) -> [UInt8] {
        let result = filled(max(count, 0)) { output in
            RAND_bytes(output, Int32(clamping: count)) == 1
        }
        guard let result else { preconditionFailure("no randomness to be had") }
        return result
    }
}
