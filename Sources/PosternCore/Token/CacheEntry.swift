/// What processes tell each other about a token, through Redis, before it is sealed and after it was opened.
///
/// The octets: version (1) ‖ kind (1: active, 0: negative) ‖ the bits of `fetchedAt` as a `Double`, the highest octet first ‖ for
/// an active token its claims as JSON. An entry of another version is none, so that two releases may share one Redis.
public enum CacheEntry: Equatable, Sendable {
    /// The issuer called the token active; what it said, an object, and when (Unix seconds).
    case active(claims: JSONValue, fetchedAt: Double)
    /// Every issuer that was asked called the token inactive (Unix seconds).
    case negative(fetchedAt: Double)

    /// Octets of the longest entry.
    public static let maximumLength = 1 << 20

    static let version: UInt8 = 1
    private static let headLength = 10

    /// When the issuer answered, in Unix seconds: an entry taken from Redis keeps its age.
    public var fetchedAt: Double {
        switch self {
        case .active(_, let fetchedAt), .negative(let fetchedAt): fetchedAt
        }
    }

    /// The octets; nil if they would be over `maximumLength`. `init(serialized:)` reads them again.
    public var serialized: [UInt8]? {
        var octets: [UInt8] = [Self.version]
        switch self {
        case .active(let claims, let fetchedAt):
            octets.append(1)
            Self.append(fetchedAt, to: &octets)
            octets += claims.serialized().utf8
        case .negative(let fetchedAt):
            octets.append(0)
            Self.append(fetchedAt, to: &octets)
        }
        return octets.count <= Self.maximumLength ? octets : nil
    }

    /// Nil for anything but what `serialized` makes: another version or kind, a time that is none, claims that are not
    /// one strict JSON object, or something behind a negative entry.
    public init?(serialized octets: [UInt8]) {
        guard (Self.headLength...Self.maximumLength).contains(octets.count), octets[0] == Self.version else {
            return nil
        }
        let fetchedAt = Double(bitPattern: octets[2..<Self.headLength].reduce(0) { $0 << 8 | UInt64($1) })
        guard fetchedAt >= 0, fetchedAt <= ClaimRules.latestDate else { return nil }
        let rest = octets.span.bytes.extracting(Self.headLength..<octets.count)
        switch octets[1] {
        case 0:
            guard rest.isEmpty else { return nil }
            self = .negative(fetchedAt: fetchedAt)
        case 1:
            guard let claims = try? JSONReader.parse(rest), case .object = claims else { return nil }
            self = .active(claims: claims, fetchedAt: fetchedAt)
        default:
            return nil
        }
    }

    private static func append(_ time: Double, to octets: inout [UInt8]) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            octets.append(UInt8(truncatingIfNeeded: time.bitPattern >> shift))
        }
    }
}
