import Synchronization

/// Random identifiers of 16 octets, drawn from libcrypto's generator many at a time: a draw costs more than the octets.
///
/// For what is public, such as a token's `jti`: those to come lie in memory. Not for secrets and keys.
public final class RandomIdentifiers: Sendable {
    /// Identifiers drawn at once.
    private static let count = 64

    private let drawn = Mutex<[UInt8]>([])

    public init() {}

    /// One that was never given before. Ends the process where there is no randomness to be had (`Random.bytes`).
    public func next() -> [UInt8] {
        self.drawn.withLock { drawn in
            if drawn.isEmpty { drawn = Random.bytes(Self.count * 16) }
            let identifier = Array(drawn.suffix(16))
            drawn.removeLast(16)
            return identifier
        }
    }
}
