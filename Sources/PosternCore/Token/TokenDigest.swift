/// The SHA-256 digest of a token's bytes: what stands for a token where the token itself must not be, in Redis and in
/// revocations. 32 octets, as four words.
public struct TokenDigest: Hashable, Sendable {
    /// Octets of a digest.
    public static let length = 32

    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Nil unless there are exactly 32 octets.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        func word(_ index: Int) -> UInt64 {
            bytes[index * 8..<index * 8 + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        self.first = word(0)
        self.second = word(1)
        self.third = word(2)
        self.fourth = word(3)
    }

    /// Nil unless there are exactly 64 hexadecimal digits, of either case.
    public init?(hex: String) {
        var octets: [UInt8] = []
        octets.reserveCapacity(Self.length)
        var high: UInt8?
        for character in hex.utf8 {
            guard octets.count < Self.length, let digit = character.hexadecimalValue else { return nil }
            if let first = high {
                octets.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard high == nil else { return nil }
        self.init(bytes: octets)
    }

    /// The 32 octets.
    public var bytes: [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(Self.length)
        for word in [self.first, self.second, self.third, self.fourth] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                octets.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return octets
    }

    /// 64 lower-case hexadecimal digits, as ASCII: the form of keys in Redis and of revocations.
    public var hexadecimal: [UInt8] {
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * Self.length)
        for word in [self.first, self.second, self.third, self.fourth] { digits.append(hex: word) }
        return digits
    }
}
