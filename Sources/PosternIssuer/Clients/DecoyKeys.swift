import PosternCore
import PosternCrypto

/// Keys that nobody can sign with. Where a client is unknown, or has no key that fits its assertion, one of them is
/// verified with, so that the answer takes as long as for a wrong signature.
///
/// They are kept as the JSON that clients' keys are kept as, and read each time as those are: that costs as well.
struct DecoyKeys: Sendable {
    private let sets: [SignatureAlgorithm: [UInt8]]

    init() {
        var sets: [SignatureAlgorithm: [UInt8]] = [:]
        for algorithm in ClientAssertion.algorithms { sets[algorithm] = Self.set(for: algorithm) }
        self.sets = sets
    }

    /// The keys to verify an assertion with.
    ///
    /// - Parameter keySet: Those of the client (RFC 7517), if there is one and it has any.
    func keys(for assertion: ClientAssertion, of keySet: String?) -> (set: KeySet<PublicKey>, areDecoys: Bool) {
        if let keySet {
            let keys = Self.read(Array(keySet.utf8))
            if !keys.candidates(keyID: assertion.token.keyID, algorithm: assertion.algorithm).isEmpty {
                return (keys, false)
            }
        }
        return (Self.read(self.sets[assertion.algorithm] ?? []), true)
    }

    private static func read(_ document: [UInt8]) -> KeySet<PublicKey> {
        guard let set = try? JWKSet(document.span.bytes) else { return KeySet() }
        return KeySet.load(set).keys
    }

    /// Without `kid`: it stands for any.
    private static func set(for algorithm: SignatureAlgorithm) -> [UInt8] {
        let key: JSONValue =
            switch algorithm {
            case .es256, .eddsa: Self.forgotten(algorithm)
            default: Self.randomModulus
            }
        return Array(JSONValue.record([("keys", .array([key]))]).serialized().utf8)
    }

    /// The public half of a new key, whose private half is gone with the end of this function.
    private static func forgotten(_ algorithm: SignatureAlgorithm) -> JSONValue {
        guard let key = try? SigningKey.generate(algorithm), case .object(let members) = key.publicJWK(kid: "") else {
            return .null
        }
        return .object(members.filter { $0.name != "kid" })
    }

    /// An RSA key by its looks: any odd modulus costs a verification the same, and to find two primes for one would take
    /// 100 ms.
    private static var randomModulus: JSONValue {
        var modulus = Random.bytes(256)
        modulus[0] |= 0x80
        modulus[255] |= 1
        return .record([("kty", .string("RSA")), ("n", .string(Base64URL.encode(modulus))), ("e", .string("AQAB"))])
    }
}
